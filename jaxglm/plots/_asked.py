"""Owns what plots ask of results, which stand in a room below this one."""

from typing import Any, Protocol

import pandas as pd

from jaxglm.diagnostics import is_probability
from jaxglm.intake import Model


class Scored(Protocol):
    """Predictions beside what was observed: `Results`, and what its `evaluate` returns."""

    def calibration(self, *args: Any, **kwargs: Any) -> pd.DataFrame: ...

    def roc_curve(self, *args: Any) -> pd.DataFrame: ...

    def roc_auc(self, *args: Any) -> float: ...

    def lift_table(self, *args: Any) -> pd.DataFrame: ...

    def lorenz_curve(self, *args: Any) -> pd.DataFrame: ...

    def gini(self, *args: Any, **kwargs: Any) -> float: ...


class Fitted(Scored, Protocol):
    """One fit: `Results`."""

    fit: Any
    model: Model

    @property
    def family(self) -> Any: ...

    @property
    def scale(self) -> float: ...

    @property
    def cov_type(self) -> str: ...

    @property
    def params(self) -> pd.Series: ...

    def tidy(self, alpha: float = 0.05) -> pd.DataFrame: ...

    def effects(self, alpha: float = 0.05) -> pd.DataFrame: ...

    def resid(self, *args: Any, **kwargs: Any) -> pd.Series: ...

    def get_influence(self) -> Any: ...

    def predict(self, *args: Any, **kwargs: Any) -> pd.Series: ...

    def get_prediction(self, *args: Any, **kwargs: Any) -> Any: ...


class ManyFitted(Protocol):
    """Many fits of one model: `GroupResults` and `ResponseResults`."""

    fits: Any
    model: Model
    keys: pd.Index
    unit: str

    @property
    def params(self) -> pd.DataFrame: ...

    @property
    def bse(self) -> pd.DataFrame: ...

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame: ...


def called(result: Fitted) -> str:
    """The response in the user's words, with the label that counts as success."""
    model = result.model
    return model.y_name if model.event is None else f"{model.y_name} = {model.event}"


def linear_text(result: Fitted) -> str:
    """The label of an axis of linear predictors."""
    return f"Linear predictor of {called(result)} ({result.family.link.name} link)"


def mean_text(result: Fitted, of: str = "Mean") -> str:
    """The label of an axis of means."""
    share = "Probability" if is_probability(result.family) and of == "Mean" else of
    return f"{share} of {called(result)} (response scale)"

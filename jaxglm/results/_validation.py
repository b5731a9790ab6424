"""Owns `CrossValidation`: how well models along a path predict rows that they have not seen."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm.plots import Plot, validation
from jaxglm.results._one import Results
from jaxglm.results._path import PathResults
from jaxglm.words import check_choice

Choice = Literal["min", "1se"]


class CrossValidation:
    """How well models along a path predict rows that they have not seen.

    Attributes
    ----------
    path : PathResults
        Of all rows.
    folds : DataFrame
        The loss of each fold at each strength: a row for each strength, a column for each fold.
    fold_weights : Series
        Sum of the weights of the rows held out, by fold.
    predictions : DataFrame
        Means of the rows held out, by a model that has not seen them: a row for each row used, a
        column for each strength; nan for rows that no fold holds out.
    measure : str
        What the loss is.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> cv = jg.cross_validate("y ~ a + b + c", table, "poisson", folds=5, seed=1)
    >>> bool(cv.lambda_min <= cv.lambda_1se)
    True
    >>> int(cv.best("1se").params["a"] > 0.5)
    1
    """

    def __init__(
        self,
        path: PathResults,
        folds: pd.DataFrame,
        fold_weights: pd.Series,
        predictions: pd.DataFrame,
        measure: str,
    ):
        self.path, self.folds, self.fold_weights = path, folds, fold_weights
        self.predictions, self.measure = predictions, measure

    @classmethod
    def of(
        cls,
        path: PathResults,
        losses: np.ndarray,
        weight: Sequence[float],
        means: np.ndarray,
        labels: pd.Index,
        measure: str,
    ) -> "CrossValidation":
        """From the losses [k, folds], the weights of the folds, and the means [n, k] of rows."""
        strengths, names = path.params.index, pd.RangeIndex(len(weight), name="fold")
        return cls(
            path,
            pd.DataFrame(losses, index=strengths, columns=names),
            pd.Series(weight, index=names, name="weight"),
            pd.DataFrame(means, index=labels, columns=strengths),
            measure,
        )

    def __repr__(self) -> str:
        return (
            f"CrossValidation: {self.folds.shape[1]} folds, {self.measure}; lambda_min "
            f"{self.lambda_min:.4g}, lambda_1se {self.lambda_1se:.4g}"
        )

    @property
    def lambdas(self) -> np.ndarray:
        """The strengths, falling."""
        return self.path.lambdas

    @property
    def mean(self) -> pd.Series:
        """The loss at each strength: the mean over folds, weighted by their rows."""
        values = np.average(self.folds, axis=1, weights=self.fold_weights)
        return pd.Series(values, index=self.folds.index, name="mean")

    @property
    def se(self) -> pd.Series:
        """Its standard error, from how it differs between folds (as glmnet's `cvsd`)."""
        away = (self.folds.sub(self.mean, axis=0)) ** 2
        values = np.sqrt(
            np.average(away, axis=1, weights=self.fold_weights) / (self.folds.shape[1] - 1)
        )
        return pd.Series(values, index=self.folds.index, name="se")

    @property
    def lambda_min(self) -> float:
        """The strength with the least loss."""
        return float(self.mean.idxmin())

    @property
    def lambda_1se(self) -> float:
        """The largest strength whose loss is within a standard error of the least."""
        best = self.lambda_min
        return float(self.lambdas[(self.mean <= self.mean[best] + self.se[best]).to_numpy()].max())

    def best(self, by: Choice = "min") -> Results:
        """The fit to all rows at `lambda_min`, or at `lambda_1se`."""
        check_choice("by", by, ("min", "1se"))
        return self.path.at(self.lambda_min if by == "min" else self.lambda_1se)

    def plot(self, *, ax: Any = None) -> Plot:
        """The loss along the path; see `plots.validation`."""
        return validation(self, ax=ax)

    def summary_frame(self) -> pd.DataFrame:
        """One row for each strength: the loss, its standard error, and the path's own facts."""
        parts = [self.mean, self.se, self.path.df, self.path.deviance_ratio]
        return pd.concat(parts, axis=1)

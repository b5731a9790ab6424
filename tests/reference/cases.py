"""Load a reference case: the model, its data, its design, and the values to be matched."""

import csv
import json
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

FOLDER = Path(__file__).parents[1] / "data" / "reference"
CASES = sorted(path.stem for path in (FOLDER / "cases").glob("*.json"))
MARKS = ("__y__", "__w__", "__offset__", "__succ__", "__fail__")


def read_csv(path: Path) -> pd.DataFrame:
    """Columns of whole numbers, of numbers to the last bit, or of text; no value is missing."""
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    columns: dict[str, Any] = {}
    for name, texts in zip(head, zip(*rows, strict=True), strict=True):
        columns[name] = texts
        for kind in (int, float):
            with suppress(ValueError):
                columns[name] = [kind(text) for text in texts]
                break
    return pd.DataFrame(columns)


class Case:
    """One case; ``info`` is its file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info: dict[str, Any] = json.loads((FOLDER / "cases" / f"{name}.json").read_text())
        self.R: dict[str, Any] = self.info["R"]
        self.certified: dict[str, Any] = self.info["certified"]
        self.formula: str = self.info["formula"]
        self.family: str = self.info["family"]
        self.link: str = self.info["link"]
        self.weights: str | None = self.info.get("weights")
        self.parameters: dict[str, Any] = self.info.get("family_params", {})
        self.estimates_theta: bool = self.info.get("estimate_theta", False)
        self.aliased = np.array(self.R["aliased"])

    @cached_property
    def _design(self) -> pd.DataFrame:
        return read_csv(FOLDER / "design" / self.info["design"])

    @property
    def X(self) -> np.ndarray:
        """All columns, the intercept included."""
        return self._design.drop(columns=[m for m in MARKS if m in self._design]).to_numpy(float)

    @property
    def y(self) -> np.ndarray:
        """The response; two columns, successes and failures, where it is grouped."""
        if "__succ__" in self._design:
            return self._design[["__succ__", "__fail__"]].to_numpy(float)
        return self._design["__y__"].to_numpy(float)

    @property
    def prior_weights(self) -> np.ndarray | None:
        return self._design["__w__"].to_numpy(float) if self.weights else None

    @property
    def offset(self) -> np.ndarray | None:
        return self._design["__offset__"].to_numpy(float) if self.info.get("offset") else None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The data, each factor with its levels in R's order."""
        frame = read_csv(FOLDER / "data" / self.info["data"])
        for column, levels in self.info.get("factors", {}).items():
            if column in frame:
                frame[column] = pd.Categorical(frame[column].astype(str), categories=levels)
                assert frame[column].notna().all(), column
        return frame

    @cached_property
    def truth(self) -> dict[str, Any]:
        """What a fit is compared with, certified where it can be, else R's."""
        R, certified = self.R, self.certified
        truth: dict[str, Any] = {
            "coef": np.array(certified["coefficients"]),
            "se": np.array(certified["se"]),
            "vcov": np.array(certified["vcov"]),
            "fitted_10": np.array(certified["fitted_10"]),
            "df_residual": R["df_residual"],
            "nobs": R["nobs"],
        }
        for name in ("deviance", "null_deviance", "dispersion", "pearson_chi2", "logLik"):
            truth[name] = certified.get(name, R[name])
        for name in ("aic", "bic"):
            truth[name] = R[name]
        if "logLik_tweedie_at_pearson_dispersion" in certified:
            truth["logLik"] = certified["logLik_tweedie_at_pearson_dispersion"]
        if self.estimates_theta:
            truth["theta"] = certified["theta"]
            truth["theta_se"] = certified["theta_se_conditional"]
        truth |= self._wald(truth["coef"], truth["se"])
        for kind, values in R["residuals_10"].items():
            truth[f"residuals_10 {kind}"] = np.array(values)
        truth |= _predictions("predictions_10", R["predictions_10"])
        if "newdata" in R:
            truth |= _predictions("newdata", R["newdata"])
        if self.family == "wedderburn":
            # R's are those of a deviance made finite at y = 0.
            for name in ("deviance", "null_deviance", "residuals_10 deviance"):
                del truth[name]
        return {name: value for name, value in truth.items() if value is not None}

    def _wald(self, coef: np.ndarray, se: np.ndarray) -> dict[str, np.ndarray]:
        """Test statistics, p values and intervals of the certified estimates."""
        statistic = coef / se
        reference = stats.norm if self.R["dispersion_fixed"] else stats.t(self.R["df_residual"])
        reach = reference.ppf(0.975)
        return {
            "statistic": statistic,
            "p_value": 2 * reference.sf(np.abs(statistic)),
            "conf_int": np.column_stack([coef - reach * se, coef + reach * se]),
        }


def _predictions(label: str, block: dict[str, Any]) -> dict[str, np.ndarray]:
    return {
        f"{label} {scale} {what}": np.array(block[scale][what])
        for scale in ("link", "response")
        for what in ("fit", "se")
    }


@cache
def load(name: str) -> Case:
    return Case(name)

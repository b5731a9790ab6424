"""Owns `PathResults`: what a path of penalties answers."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.intake import Model
from jaxglm.plots import Plot, path
from jaxglm.results._one import Results
from jaxglm.search import PathPoint
from jaxglm.words import check_choice, is_from, no_attribute

Criterion = Literal["aic", "bic", "ebic"]


class PathResults:
    """The optima along a path of penalties, from the strongest to the weakest.

    The frames have a row for each strength, labelled by it.

    Attributes
    ----------
    lambdas : [k]
        The strengths, falling.
    model : Model
        What was fitted: names, family, formula.
    null_deviance : float
        Deviance with all penalised coefficients at zero.
    nobs : float
        Observations.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> path = jg.fit_path("y ~ a + b + c", table, "poisson", lambdas=[1.0, 0.3, 0.1])
    >>> path.params.round(3)
            Intercept      a    b      c
    lambda
    1.0         0.466  0.410  0.0  0.000
    0.3         0.149  0.891  0.0  0.000
    0.1         0.002  1.052  0.0 -0.005
    """

    def __init__(
        self,
        points: list[PathPoint],
        lambdas: np.ndarray,
        *,
        model: Model,
        null_deviance: float,
        nobs: float,
        fit: Callable[[float, np.ndarray], Results],
    ):
        self._points = points
        self._fit: Callable[[float, np.ndarray], Results] | None = fit
        self.lambdas, self.model = lambdas, model
        self.null_deviance, self.nobs = null_deviance, nobs

    def __getattr__(self, name: str) -> Any:
        no_attribute(self, name, "at(lam)", Results)

    def __len__(self) -> int:
        return len(self._points)

    def __repr__(self) -> str:
        return (
            f"PathResults: {len(self)} strengths from {self.lambdas[0]:.4g} to "
            f"{self.lambdas[-1]:.4g}, {int(self.df.iloc[0])} to {int(self.df.max())} coefficients, "
            f"{self.deviance_ratio.iloc[-1]:.1%} of the deviance explained"
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_fit": None}

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.lambdas, name="lambda")

    def _series(self, field: str, dtype: Any = float) -> pd.Series:
        values = np.array([getattr(point, field) for point in self._points], dtype)
        return pd.Series(values, index=self._index, name=field)

    @property
    def params(self) -> pd.DataFrame:
        """Coefficients on the link scale, a row for each strength."""
        rows = np.array([point.coef for point in self._points])
        return pd.DataFrame(rows, index=self._index, columns=list(self.model.names))

    @property
    def df(self) -> pd.Series:
        """Coefficients that are not zero, the intercept among them."""
        return self._series("df", int)

    @property
    def deviance(self) -> pd.Series:
        """Deviance at dispersion 1."""
        return self._series("deviance")

    @property
    def deviance_ratio(self) -> pd.Series:
        """Share of the null deviance that is explained.

        glmnet's `dev.ratio` is the same where no column is free; what free columns explain counts
        there, and not here.
        """
        ratio = 1 - self.deviance / self.null_deviance if self.null_deviance else 0 * self.deviance
        return ratio.rename("deviance_ratio")

    @property
    def kkt_residual(self) -> pd.Series:
        """The largest by which a coefficient misses its condition of optimality.

        On the scale of the mean loss, as lambda is.
        """
        return self._series("violation").rename("kkt_residual")

    @property
    def converged(self) -> pd.Series:
        """Whether the search ended at an optimum."""
        values = [point.status.usable for point in self._points]
        return pd.Series(values, index=self._index, name="converged")

    @property
    def n_iter(self) -> pd.Series:
        """Passes over the rows."""
        return self._series("turns", int).rename("n_iter")

    @property
    def llf(self) -> pd.Series:
        """Log-likelihood; nan for quasi families."""
        return self._series("log_likelihood").rename("llf")

    @property
    def aic(self) -> pd.Series:
        """-2 llf + 2 k, with k the coefficients that are not zero and what `logLik` adds."""
        return (-2 * self.llf + 2 * self._parameters).rename("aic")

    @property
    def bic(self) -> pd.Series:
        """-2 llf + k log n."""
        return (-2 * self.llf + np.log(self.nobs) * self._parameters).rename("bic")

    def ebic(self, gamma: float = 1.0) -> pd.Series:
        """The extended criterion of Chen and Chen (2008): bic + 2 gamma log(models of that size).

        Parameters
        ----------
        gamma : float, from 0 (BIC) to 1
        """
        from scipy.special import gammaln

        if not is_from(gamma, 0, 1):
            raise ValueError(f"gamma must be a number from 0 (BIC) to 1, not {gamma!r}")
        p, k = len(self.model.names), self.df
        models = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
        return (self.bic + 2 * gamma * models).rename("ebic")

    @property
    def _parameters(self) -> pd.Series:
        return self.df + self.model.family.n_likelihood_params

    def best(self, by: Criterion = "bic") -> Results:
        """The fit at the strength where a criterion is least.

        Raises
        ------
        ValueError
            For a family without likelihood.
        """
        check_choice("by", by, ("aic", "bic", "ebic"))
        values = self.ebic() if by == "ebic" else getattr(self, by)
        if values.isna().all():
            raise ValueError(
                f"{self.model.family.name} has no likelihood, so there is no {by.upper()}: choose "
                "by cross-validation"
            )
        return self.at(float(values.idxmin()))

    def at(self, lam: float) -> Results:
        """The fit at one strength, on the path or not; from where the path comes nearest.

        Parameters
        ----------
        lam : float

        Returns
        -------
        Results
        """
        if not is_from(lam, 0):
            raise ValueError(f"lam must be a number of 0 or more, not {lam!r}")
        if self._fit is None:
            raise DataError(
                "at() and best() fit the rows of the path, and a path that was pickled leaves them "
                "behind. Make the path again."
            )
        nearest = int(np.argmin(np.abs(np.log(self.lambdas + 1e-300) - np.log(lam + 1e-300))))
        return self._fit(float(lam), self._points[nearest].coef)

    def plot(self, *, ax: Any = None) -> Plot:
        """Coefficients along the path; see `plots.path`."""
        return path(self, ax=ax)

    def tidy(self) -> pd.DataFrame:
        """One row for each strength and coefficient that is not zero there, as R's broom has it."""
        long = self.params.stack().rename("estimate").rename_axis(["lambda", "term"]).reset_index()
        return long[long["estimate"] != 0].reset_index(drop=True)

    def summary_frame(self) -> pd.DataFrame:
        """One row for each strength: coefficients, explained deviance, criteria, accuracy."""
        parts = [self.df, self.deviance, self.deviance_ratio, self.aic, self.bic]
        return pd.concat([*parts, self.kkt_residual, self.n_iter, self.converged], axis=1)

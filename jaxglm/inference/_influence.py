"""Owns the influence of single observations on a fit: leverage, and what follows from it."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.diagnostics import residuals
from jaxglm.inference.comparisons._deviance import Dispersion
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.inference.covariances._sandwich import Estimated
from jaxglm.intake import Dataset
from jaxglm.search import Fit
from jaxglm.sources import in_parts
from jaxglm.sums import ALONE, Rooted, leverages, row_scores
from jaxglm.words import FloatArray, near_text, understands_habits


class Influence:
    """How much each observation counts for the fit, made by `Results.get_influence`.

    Everything follows from the leverage h_i of an observation and its residual, without another
    fit. A row of frequency f is f observations, each with the leverage, residual and influence that
    it would have in a row of its own. What divides by 1 - h_i is nan where h_i is 1: such a row
    alone determines a coefficient. Rows of weight 0 take no part, and are nan. A negative binomial
    shape that was estimated is held at its estimate.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> influence = jg.glm("y ~ x", table, family="poisson").get_influence()
    >>> influence.hat_matrix_diag.round(3).to_list()
    [0.268, 0.274, 0.247, 0.205, 0.256, 0.75]
    >>> influence.dfbetas.round(2)
       Intercept     x
    0       0.41 -0.39
    1      -0.70  0.64
    2       0.18 -0.15
    3       0.05 -0.03
    4       0.01  0.01
    5       0.10 -0.17
    """

    def __init__(self, fit: Fit, family: Any, held: Dataset, eta: FloatArray, names: Sequence[str]):
        self._fit, self._family, self._held = fit, family, held
        self._eta, self._names = eta, list(names)
        self._estimated = Estimated.of(fit, family, held)

    @functools.cached_property
    def _leverage(self) -> FloatArray:
        found = np.empty(len(self._held.rows))
        at = self._at
        with computing():
            parts = in_parts(
                self._estimated.source, leverages, self._family, at, width=at.dense.shape[1]
            )
            for which, values in parts:
                found[which] = values
        found[~self._held.rows.live] = np.nan
        return found

    @functools.cached_property
    def _left(self) -> FloatArray:
        """1 - h, nan where that is nothing but rounding."""
        left = 1.0 - self._leverage
        return np.where(left > ALONE, left, np.nan)

    @functools.cached_property
    def _at(self) -> Rooted:
        root = self._estimated.covariance.root
        if why := self._fit.without_errors:
            raise DataError(f"There are no leverages: {why}.")
        return self._estimated.at(root)

    def _residual(self, kind: Any) -> FloatArray:
        rows = self._held.rows
        values = residuals(kind, self._family, rows.y, self._eta, rows.unit_weight)
        return np.where(rows.live, values, np.nan)

    @functools.cached_property
    def _pearson(self) -> FloatArray:
        return self._residual("pearson")

    @functools.cached_property
    def _deviance(self) -> FloatArray:
        return self._residual("deviance")

    @property
    def _scale(self) -> float:
        return self._fit.scale

    @property
    def _scale_known(self) -> bool:
        given = isinstance(scale_choice(self._fit), float)
        # R's `rstudent` takes that of a negative binomial family as estimated.
        known = given or self._family.name in ("binomial", "poisson")
        return known and not Dispersion.of(self._fit).estimated

    @functools.cached_property
    def _scale_without(self) -> FloatArray:
        """The mean squared deviance residual of the fit without an observation."""
        rows, deviance = self._held.rows, self._deviance
        freq = 1.0 if rows.freq is None else rows.freq
        total = np.nansum(freq * deviance**2)
        df = self._fit.df_resid - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            square = (total - deviance**2 / self._left) / (df if df > 0 else np.nan)
        # Deviance residuals are no least-squares residuals: little may be left, or less.
        return np.where(square > 0, square, np.nan)

    # -- one number per observation --------------------------------------------------------------

    @property
    def hat_matrix_diag(self) -> pd.Series:
        """Leverages h_i = w_i x_i' H^-1 x_i, the diagonal of the hat matrix; R's `hatvalues`.

        w_i is the expected information of the observation about its linear predictor, and H that
        of all about the coefficients. They add up to the number of coefficients.
        """
        return self._series(self._leverage.copy(), "hat_matrix_diag")

    @property
    def alone(self) -> np.ndarray:
        """Positions of the rows that alone determine a coefficient: their leverage is 1."""
        return np.flatnonzero(1.0 - self._leverage <= ALONE)

    @property
    def resid_studentized(self) -> pd.Series:
        """Pearson residuals over their standard deviation, ``r_i / sqrt(phi (1 - h_i))``.

        R's ``rstandard(type="pearson")``; `resid_studentized` is what statsmodels calls them.
        """
        return self._series(self.standardised("pearson"), "resid_studentized")

    @property
    def resid_studentized_external(self) -> pd.Series:
        """R's `rstudent`: how much the deviance falls if the observation is left out, as a root.

        ``sign(d_i) sqrt(d_i^2 + h_i r_i^2 / (1 - h_i))`` with d_i the deviance and r_i the Pearson
        residual (Williams 1987, Applied Statistics 36, 181-191). It is over the root of the
        dispersion: of a number given as ``scale=``, of 1 in the binomial and the Poisson family,
        and otherwise, ``scale="pearson"`` included, of that of the fit without the observation.
        """
        d, r = self._deviance, self._pearson
        value = np.sign(d) * np.sqrt(d**2 + self._leverage * r**2 / self._left)
        phi = self._scale if self._scale_known else self._scale_without
        return self._series(value / np.sqrt(phi), "resid_studentized_external")

    @property
    def cooks_distance(self) -> pd.Series:
        """``(r_i / (1 - h_i))^2 h_i / (phi k)``, r_i the Pearson residual, k the coefficients.

        How far all coefficients move if the observation is left out (Cook 1977, Technometrics 19,
        15-18), in one Newton step; R's `cooks.distance`.
        """
        k = self._estimated.rank
        with np.errstate(divide="ignore", invalid="ignore"):
            value = (self._pearson / self._left) ** 2 * self._leverage / (self._scale * k)
        return self._series(value, "cooks_distance")

    @property
    def dffits(self) -> pd.Series:
        """``d_i sqrt(h_i) / (s_(i) (1 - h_i))``: the fitted value's move, in standard errors.

        d_i is the deviance residual and s_(i)^2 the mean square of them without the observation, as
        R's `dffits` has it for a glm (Belsley, Kuh and Welsch 1980).
        """
        spread = np.sqrt(self._scale_without)
        value = self._deviance * np.sqrt(self._leverage) / (spread * self._left)
        return self._series(value, "dffits")

    def standardised(self, kind: str) -> FloatArray:
        """Deviance or Pearson residuals over ``sqrt(phi (1 - h_i))``, [n]."""
        values = self._pearson if kind == "pearson" else self._deviance
        return values / np.sqrt(self._scale * self._left)

    # -- one number per observation and coefficient ----------------------------------------------

    @property
    def d_params(self) -> pd.DataFrame:
        """How much each coefficient is higher for the observation being there, link scale.

        One Newton step without it, ``H^-1 x_i u_i / (1 - h_i)`` with u_i its score (Pregibon 1981,
        Annals of Statistics 9, 705-724); exact for a Gaussian model with the identity link. R's
        `dfbeta` has the deviance residual in place of the working one.
        """
        return pd.concat(list(self.in_chunks("d_params")))

    @property
    def dfbetas(self) -> pd.DataFrame:
        """`d_params` in standard errors of the coefficients, as statsmodels has it for a GLM."""
        return pd.concat(list(self.in_chunks("dfbetas")))

    @understands_habits
    def in_chunks(
        self, what: str = "dfbetas", columns: Sequence[str] | None = None
    ) -> Iterator[pd.DataFrame]:
        """`dfbetas` or `d_params` some rows at a time: of many rows they would fill the memory.

        Parameters
        ----------
        what : {"dfbetas", "d_params"}
        columns : list of str, optional
            Coefficients; all unless given.

        Yields
        ------
        DataFrame
            One row per row of the fit, in their order.

        Raises
        ------
        ValueError
            For another `what`, or a coefficient that there is not.
        """
        if what not in ("dfbetas", "d_params"):
            raise ValueError(f"what must be 'dfbetas' or 'd_params', not {what!r}")
        return self._chunks(what, self._places(columns))

    def _places(self, columns: Sequence[str] | None) -> np.ndarray:
        if columns is None:
            return np.arange(len(self._names))
        for name in columns:
            if name not in self._names:
                raise ValueError(f"no coefficient {name!r}; {near_text(name, self._names)}")
        return np.array([self._names.index(name) for name in columns])

    def _chunks(self, what: str, places: np.ndarray) -> Iterator[pd.DataFrame]:
        covariance, at = self._estimated.covariance, self._at
        dense, diagonal = covariance.root
        unit = np.ones(places.size)
        if what == "dfbetas":
            unit = covariance.standard_errors[places]
        unit = np.where(covariance.aliased | covariance.infinite, np.nan, 1.0)[places] * unit
        freq = self._held.rows.freq
        levels = places[diagonal[places] != 0]
        columns = self._held.columns
        with computing():
            parts = in_parts(
                self._estimated.source, row_scores, self._family, at, width=at.dense.shape[1] + 2
            )
            for which, rows in parts:
                pull = rows.pull / self._left[which]
                if freq is not None:
                    pull = np.where(freq[which] > 0, pull / np.maximum(freq[which], 1e-300), np.nan)
                moved = rows.along @ dense[places].T
                if levels.size:
                    one = np.zeros((diagonal.size, levels.size))
                    one[levels, np.arange(levels.size)] = diagonal[levels] ** 2
                    moved[:, diagonal[places] != 0] += columns.rows(which).matvec(one)
                # The score is that of the loss: downhill.
                values = -pull[:, None] * moved / unit
                yield pd.DataFrame(
                    values,
                    index=self._held.labels[which],
                    columns=[self._names[j] for j in places],
                )

    # -- tables ----------------------------------------------------------------------------------

    @understands_habits
    def summary_frame(self) -> pd.DataFrame:
        """One row per observation: residuals, leverage and distances, without the DFBETAS.

        Columns `hat_diag, standard_resid, student_resid, cooks_d, dffits`: `standard_resid` is
        `resid_studentized`, `student_resid` is `resid_studentized_external`.
        """
        return pd.DataFrame(
            {
                "hat_diag": self.hat_matrix_diag,
                "standard_resid": self.resid_studentized,
                "student_resid": self.resid_studentized_external,
                "cooks_d": self.cooks_distance,
                "dffits": self.dffits,
            }
        )

    @understands_habits
    def largest(self, n: int = 10, by: str = "cooks_d") -> pd.DataFrame:
        """The rows of `summary_frame` that are largest in size in one of its columns.

        Raises
        ------
        ValueError
            For a column that there is not.
        """
        table = self.summary_frame()
        if by not in table:
            raise ValueError(f"no column {by!r}; {near_text(by, table.columns)}")
        order = np.argsort(-np.abs(np.nan_to_num(table[by].to_numpy())), kind="stable")
        return table.iloc[order[:n]]

    def __repr__(self) -> str:
        return f"<jaxglm.Influence: {len(self._held.rows):,} rows, {len(self._names)} coefficients>"

    def _series(self, values: FloatArray, name: str) -> pd.Series:
        return pd.Series(values, index=self._held.labels, name=name)

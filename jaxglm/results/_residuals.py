"""Owns the residuals that a result answers, under the names of statsmodels and R."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from jaxglm.diagnostics import ResidualKind, means, residuals
from jaxglm.inference import quantile_residuals
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_choice, check_seed, understands_habits


class Residuals(RowAnswers):
    """What is left of the response; a part of `Results`."""

    @understands_habits
    def resid(
        self, kind: ResidualKind | Literal["quantile"] = "deviance", *, seed: int = 0
    ) -> pd.Series:
        """Residuals of the rows of the fit, with R's prior weight w (trials included).

        Parameters
        ----------
        kind : {"response", "pearson", "deviance", "working", "anscombe", "quantile"}
            y - mu; (y - mu) sqrt(w / V(mu)); sign(y - mu) sqrt(w d(y, mu)), d the unit deviance;
            (y - mu) / (d mu / d eta), on the link scale; (A(y) - A(mu)) sqrt(w) / (A'(mu) V^(1/2)),
            A the integral of V^(-1/3) that makes them nearly normal (Anscombe 1953); the normal
            quantile of F(y), with numbers drawn where F jumps, which makes them exactly normal
            (Dunn and Smyth 1996).
        seed : int
            Of the numbers drawn for "quantile".

        Raises
        ------
        ValueError
            For another kind, or Anscombe's in a family that has none here.
        DataError
            When the result no longer holds the data of its fit.
        """
        check_choice("kind", kind, (*get_args(ResidualKind), "quantile"))
        held, eta = self._fitted_at_limit("resid()")
        rows = held.rows
        if kind != "quantile":
            values = residuals(kind, self.family, rows.y, eta, rows.unit_weight)
            return pd.Series(values, index=held.labels)
        check_seed(seed)
        live = rows.live & ~np.isnan(eta)
        values = np.full(len(rows), np.nan)
        values[live] = quantile_residuals(
            self.family,
            rows.y[live],
            means(self.family, eta[live]),
            self.scale,
            rows.unit_weight[live],
            seed,
        )
        return pd.Series(values, index=held.labels)

    @property
    def resid_response(self) -> pd.Series:
        """`resid("response")`."""
        return self.resid("response")

    @property
    def resid_pearson(self) -> pd.Series:
        """`resid("pearson")`."""
        return self.resid("pearson")

    @property
    def resid_deviance(self) -> pd.Series:
        """`resid("deviance")`."""
        return self.resid("deviance")

    @property
    def resid_anscombe(self) -> pd.Series:
        """`resid("anscombe")` over the square root of the dispersion, as statsmodels has it."""
        return self.resid("anscombe") / np.sqrt(self.scale)

    @property
    def resid_working(self) -> pd.Series:
        """`resid("working")`."""
        return self.resid("working")

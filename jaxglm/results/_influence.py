"""Owns what a result answers about single observations: leverage and influence."""

from typing import Literal

import pandas as pd

from jaxglm.inference import Influence
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_choice, understands_habits


class InfluenceAnswers(RowAnswers):
    """Leverage, standardised residuals and influence; a part of `Results`."""

    @understands_habits
    def get_influence(self) -> Influence:
        """Leverage, standardised residuals, Cook's distance, DFFITS and DFBETAS of the rows.

        They rest on the expected information and the dispersion, whatever covariance was asked for.

        Raises
        ------
        DataError
            When the result does not hold the rows of its fit, or the fit has no information matrix.
        """
        held, eta = self._fitted("get_influence()", columns=True)
        return Influence(self.fit, self.family, held, eta, self.names)

    @understands_habits
    def hatvalues(self) -> pd.Series:
        """Leverages of the rows, R's `hatvalues`; see `Influence.hat_matrix_diag`."""
        return self.get_influence().hat_matrix_diag

    @understands_habits
    def rstandard(self, kind: Literal["deviance", "pearson"] = "deviance") -> pd.Series:
        """Residuals over ``sqrt(phi (1 - h_i))``, R's `rstandard`.

        Raises
        ------
        ValueError
            For another kind.
        """
        check_choice("kind", kind, ("deviance", "pearson"))
        values = self.get_influence().standardised(kind)
        held = self.model.held("rstandard()", columns=False)
        return pd.Series(values, index=held.labels, name="rstandard")

    @understands_habits
    def rstudent(self) -> pd.Series:
        """R's `rstudent`; see `Influence.resid_studentized_external`."""
        return self.get_influence().resid_studentized_external.rename("rstudent")

    @understands_habits
    def cooks_distance(self) -> pd.Series:
        """R's `cooks.distance`; see `Influence.cooks_distance`."""
        return self.get_influence().cooks_distance

    @understands_habits
    def dffits(self) -> pd.Series:
        """R's `dffits`; see `Influence.dffits`."""
        return self.get_influence().dffits

    @understands_habits
    def dfbetas(self) -> pd.DataFrame:
        """How far each row moves each coefficient, in standard errors; see `Influence.dfbetas`."""
        return self.get_influence().dfbetas

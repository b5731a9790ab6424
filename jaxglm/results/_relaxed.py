"""Owns the second fit of a lasso: without its penalty, in the columns that it kept."""

import dataclasses
from typing import Self

import numpy as np

from jaxglm._status import DataError
from jaxglm.inference import constrained
from jaxglm.results._rowwise import RowAnswers

# A matrix of the constraints would have more numbers than fit into half a gigabyte.
_MOST_CELLS = 50_000_000


class Relaxed(RowAnswers):
    """A fit again without the shrinkage; a base of `Results`."""

    def refit(self) -> Self:
        """The fit without a penalty, with the coefficients at zero that the penalty left there.

        A lasso shrinks what it keeps; this undoes it (relaxed lasso with a share of 0, Meinshausen
        2007, Computational Statistics & Data Analysis 52). The columns were chosen by the same
        rows, so standard errors, intervals and p-values are those of a model that is taken as
        known before the rows were seen: too small. Fit the columns to other rows for honest ones.

        Returns
        -------
        Results
            All coefficients, those left out 0 without a test; see `fit_constrained`.

        Raises
        ------
        DataError
            For a fit that left nothing out, or that no longer holds its rows.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "z": [1.0, 0, 1, 0, 1, 0]}
        >>> lasso = jg.glm("y ~ x + z", table, "poisson", penalty=jg.Lasso(0.5))
        >>> lasso.params.round(3).to_dict()
        {'Intercept': -0.272, 'x': 0.456, 'z': 0.0}
        >>> lasso.refit().params.round(3).to_dict()
        {'Intercept': -0.577, 'x': 0.537, 'z': 0.0}
        """
        out = self.fit.coef == 0
        if not self.model.penalty or not out.any():
            raise DataError(
                "refit() is for a lasso that left columns out, and this fit left out none."
            )
        if out.size * int(out.sum()) > _MOST_CELLS:
            raise DataError(
                f"refit() would hold {int(out.sum()):,} coefficients at 0 one by one: fit the "
                "columns that are kept by themselves, as a table or matrix of these"
            )
        plain = dataclasses.replace(self.model, penalty="")
        held = np.eye(out.size)[out], np.zeros(int(out.sum()))
        fit, model = constrained(self.fit, plain, held)
        note = (
            f"Fitted without {self.model.penalty} in the columns that it kept; {int(out.sum()):,} "
            "coefficients are 0. The same rows chose them: standard errors, intervals and p-values "
            "are too small."
        )
        fit = dataclasses.replace(fit, notes=(note, *fit.notes[1:]))
        words = f"the {int(out.sum()):,} coefficients that {self.model.penalty} left at 0"
        return type(self)(fit, dataclasses.replace(model, constraints=words))

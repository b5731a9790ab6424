"""Owns the jackknife among the answers of a result."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError, JaxglmWarning, SegmentWarning
from jaxglm.inference import UNDER_PENALTY, infinitesimal, refuse_penalised, without_each
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import listed, near_text, understands_habits, warn


class Jackknife(RowAnswers):
    """How the coefficients move with single rows; a part of `Results`."""

    @understands_habits
    def infinitesimal_jackknife(self, columns: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Derivatives of the coefficients with respect to the weight of each row, link scale.

        Row i holds ``d_i = d coef / d f_i = J^-1 x_i w_i u_i``, where f_i is how often the row
        counts (its frequency), x_i its columns, w_i its prior weight times trials, ``u_i = (y_i -
        mu_i) / V(mu_i) dmu_i/deta_i``, and J the observed information at dispersion 1. Without one
        observation of the row the coefficients are, to first order, ``coef - d_i``. The sum of
        ``f_i d_i d_i'`` is the infinitesimal jackknife's estimate of their covariance (Jaeckel
        1972, Bell Laboratories memorandum MM 72-1215-11; Efron 1982, "The Jackknife, the Bootstrap
        and Other Resampling Plans", chapter 6).

        Parameters
        ----------
        columns : str or sequence of str, optional
            Names of some coefficients; by default all. The table takes 8 bytes for each row and
            coefficient.

        Returns
        -------
        DataFrame [n, k]
            Rows as in `resid()`; 0 for rows of weight 0. nan for coefficients that are aliased,
            infinite or open. A negative binomial shape that was estimated is held, and a warning
            says so.

        Raises
        ------
        DataError
            When the fit has no ordinary optimum, the result no longer holds the rows of its fit,
            its covariance is not the model's, or there is no such coefficient.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.infinitesimal_jackknife(columns=["x"]).round(4).T
                0       1      2       3       4       5
        x -0.0485  0.0785 -0.019 -0.0046  0.0009 -0.0073
        """
        names = list(self.model.names)
        columns = [columns] if isinstance(columns, str) else columns
        wanted = names if columns is None else list(columns)
        for name in wanted:
            if name not in names:
                raise DataError(
                    f"columns: there is no coefficient {name!r}; {near_text(name, names)}"
                )
        refuse_penalised(self.model, UNDER_PENALTY.format("infinitesimal_jackknife()"))
        held = self.model.held("infinitesimal_jackknife()")
        self._say_what_is_held("infinitesimal_jackknife()")
        which = np.array([names.index(name) for name in wanted], int)
        values = infinitesimal(self.fit, self.family, held, self._effective, which)
        return pd.DataFrame(values, index=held.labels, columns=wanted)

    @understands_habits
    def leave_one_out(self, rows: Any) -> pd.DataFrame:
        """Coefficients of the model fitted without a row, for each of some rows; link scale.

        They are fits to convergence from the coefficients of this one, many at once, not the
        one-step approximation. Each takes some passes over all rows, so choose rows: those that
        `infinitesimal_jackknife` tells to move a coefficient most.

        Parameters
        ----------
        rows : label or sequence of labels
            As in the index of `resid()`.

        Returns
        -------
        DataFrame [k, p]
            A line for each row. A row with `freq_weights` is left out once: one of the observations
            that it counts. inf, -inf and nan as in `params`, where the other rows leave a
            coefficient infinite or undetermined; nan as a whole where the fit without the row does
            not converge. A warning counts such fits. With ``bias="firth"`` these fits are without
            their first-order bias too. A negative binomial shape that was estimated is held, and a
            warning says so: the fits are exact for that shape.

        Raises
        ------
        DataError
            When there is no such row, the fit has no optimum, or the result no longer holds the
            rows of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.leave_one_out([0, 5]).round(3)
           Intercept      x
        0     -0.885  0.608
        5     -0.644  0.566
        """
        held = self.model.held("leave_one_out()")
        self._say_what_is_held("leave_one_out()")
        labels = held.labels
        asked = pd.Index(np.atleast_1d(rows) if np.ndim(rows) == 0 else rows)
        unknown = asked[~asked.isin(labels)]
        if len(unknown):
            raise DataError(
                f"rows: the fit has no row {listed(map(repr, unknown.tolist()), 5)}; rows are "
                "named as in the index of resid()."
            )
        places = labels.get_indexer_for(asked)
        found = without_each(self.fit, self.model, held, places)
        usual = ("ordinary", "bias reduced")  # the second where this fit is so
        odd = {kind: count for kind, count in found.kinds.items() if count and kind not in usual}
        if odd:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in odd.items())
            warn(
                f"{sum(odd.values()):,} of {len(places):,} fits without one row have no ordinary "
                f"optimum: {kinds}",
                SegmentWarning,
            )
        return pd.DataFrame(found.coef, index=labels[places], columns=self.names)

    def _say_what_is_held(self, what: str) -> None:
        """Warn that the coefficients would move otherwise with a shape that moves as well."""
        if self.fit.alpha is not None:
            warn(
                f"{what} holds the negative binomial shape at its estimate, alpha = "
                f"{self.fit.alpha:.4g}: with a shape that is estimated anew without a row the "
                "coefficients would be slightly different.",
                JaxglmWarning,
            )

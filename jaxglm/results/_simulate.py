"""Owns the responses that a fitted model would give: their distribution, and draws of them."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.diagnostics import means
from jaxglm.families import Binomial
from jaxglm.inference import Law, check_sizes, law
from jaxglm.results._beside import response_weights
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_seed, understands_habits


class Simulation(RowAnswers):
    """The distribution of new responses, at the estimates."""

    @understands_habits
    def simulate(self, n: int = 1, *, seed: int) -> pd.DataFrame:
        """Responses drawn from the fitted model, for the rows of the fit.

        They are drawn at the estimates, with the dispersion `scale`, the shape of the family, the
        trials and the prior weights of the rows, as R's ``simulate``: a row of weight w has the
        dispersion ``scale / w``, and a count with it is the average of w. A row that stands for
        several observations (`freq_weights`) gets the response of one.

        Parameters
        ----------
        n : int
            How many responses to draw for each row.
        seed : int
            Column i of n is drawn from ``numpy.random.default_rng([seed, i])``.

        Returns
        -------
        DataFrame [rows, n]
            Columns `sim_1, sim_2, ...`, with the index of the rows. On the scale of `fittedvalues`:
            shares where a binomial response has trials, which times the trials are numbers of
            successes (R's `simulate` gives these in two columns). nan in rows that do not count,
            and where the mean is not finite.

        Raises
        ------
        DataError
            For quasi families and for counts and shares with ``scale=``, which have a variance and
            no distribution, and where the result no longer holds the data of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.simulate(3, seed=1).mean().round(1).to_list()
        [3.7, 1.7, 2.8]
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"n must be a number of responses a row, 1 or more, not {n!r}")
        check_seed(seed)
        held, eta = self._fitted_at_limit("simulate()")
        mean = means(self.family, eta)
        usable = held.rows.live & np.isfinite(mean)
        weight = held.rows.unit_weight[usable]
        check_sizes(self.family, weight)
        rows = law(self.family, mean[usable], self.scale, weight)
        drawn = np.full((len(mean), n), np.nan)
        for i in range(n):
            rng = np.random.default_rng([seed, i])
            drawn[usable, i] = rows.draw(rng)
        names = [f"sim_{i + 1}" for i in range(n)]
        return pd.DataFrame(drawn, index=held.labels, columns=names)

    @understands_habits
    def get_distribution(
        self,
        data: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
        var_weights: Any = None,
        trials: Any = None,
    ) -> Any:
        """The distribution of the response of each row at the estimates, as one of scipy.stats.

        Parameters
        ----------
        data, offset, exposure, unseen
            As for `predict`.
        var_weights, trials : array, column name or number, optional
            Of the rows of `data`: prior weights, 1 when left out, and binomial trials.

        Returns
        -------
        frozen distribution of scipy.stats
            With an array of parameters, one for each row: `pmf` or `pdf`, `cdf`, `ppf`, and
            ``rvs(size=(k, rows))`` are of all rows at once. Binomial: of the *number* of successes,
            not their share as in `fittedvalues`, `predict` and `simulate`, since SciPy has no
            distribution of shares. ``mean()`` is then the trials times the predicted share, and
            ``ppf(q)`` over the trials a quantile of the share.

        Raises
        ------
        DataError
            As `simulate`, and where SciPy has no such distribution: Tweedie families of a
            power between 1 and 2, and counts with prior weights (`simulate` draws from these).

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.get_distribution({"x": [6.0]}).cdf(20).round(3)
        array([0.95])
        """
        found = self._linear(data, offset, exposure, unseen)
        weight = response_weights(
            self.model, self._saved_facts, data, found.index, var_weights=var_weights, trials=trials
        )
        if weight is None:
            raise DataError(
                "the response of the fit is a share of trials: give the numbers of the new rows as "
                "trials="
            )
        check_sizes(self.family, weight)
        rows = law(self.family, means(self.family, found.eta), self.scale, weight)
        if not isinstance(rows, Law):
            raise DataError(
                "SciPy has no such distribution: responses of this family are sums of a Poisson "
                "number of gamma amounts, with exact zeros. simulate() draws from it"
            )
        if not isinstance(self.family, Binomial) and ((rows.size < 1) | (rows.size > 1)).any():
            raise DataError(
                "SciPy has no distribution of counts with prior weights or an estimated "
                "dispersion, which are not whole numbers. simulate() draws from it"
            )
        return rows.frozen

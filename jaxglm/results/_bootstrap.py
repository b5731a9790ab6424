"""Owns the fits of a model to draws of its rows."""

from typing import Any

from jaxglm.inference import Bootstrap, bootstrap
from jaxglm.intake import MAX_MEMORY
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import understands_habits


class Resampling(RowAnswers):
    """Replicates of a fit."""

    @understands_habits
    def bootstrap(
        self,
        data: Any = None,
        n: int = 1000,
        *,
        seed: int,
        cluster: Any = None,
        max_memory: float = MAX_MEMORY,
    ) -> Bootstrap:
        """Fit the model to observations drawn again with replacement, `n` times.

        Rows with `freq_weights` are drawn as the observations that they count; other weights stay
        with their row. A negative binomial shape that was estimated is held at its estimate.

        Parameters
        ----------
        data : table, optional
            The data of the fit, for a result that does not hold them (it was saved, pickled, or
            made with keep_data=False): for fits of a formula without weights, trials, offset= or
            exposure= beside it. Beside a result that does, the table with the column `cluster`.
        n, seed : int
            Replicate i of n draws from ``numpy.random.default_rng([seed, i])``.
        cluster : array, or column name beside `data`, optional
            One value per row of the fit, or per row of what was given to it, where rows were left
            out for missing values: whole clusters of rows are drawn.
        max_memory : float
            Bytes that the replicates in work may take.

        Returns
        -------
        Bootstrap

        Raises
        ------
        DataError
            When `data` are not those of the fit, the result no longer holds its own, the fit has no
            optimum, frequency weights are not whole numbers, a row has no cluster, or `cluster` is
            a name without `data`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
        >>> jg.glm("y ~ x", table, family="poisson").bootstrap(n=200, seed=1)
        <jaxglm.Bootstrap: 200 replicates of 8 observations>
        """
        return bootstrap(self.fit, self.model, data, n, seed, cluster, max_memory)

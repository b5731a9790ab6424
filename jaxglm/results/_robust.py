"""Owns how a result is given another covariance: robust kinds, and the observed information."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, Self

from jaxglm._status import DataError
from jaxglm.inference import (
    CovarianceChoice,
    column_of_fit,
    column_of_table,
    information_of,
    refuse_idle_table,
    rows_of,
)
from jaxglm.results._asked import AskedCovariance
from jaxglm.words import understands_habits


class RobustAnswers(AskedCovariance):
    """The same fit with other standard errors."""

    @property
    def cov_type(self) -> str:
        """The kind of covariance that standard errors, tests and intervals rest on."""
        return self.fit.covariance.kind

    @understands_habits
    def robust(
        self,
        cov_type: str | None = None,
        *,
        cluster: Any = None,
        type: Literal["HC0", "HC1", "HC2", "HC3"] | None = None,
        maxlags: int | None = None,
        time: Any = None,
        groups: Any = None,
        information: Literal["expected", "observed"] | None = None,
        correction: Literal["sandwich", "statsmodels", "stata", "fixest"] = "sandwich",
        cadjust: bool = True,
        data: Any = None,
    ) -> Self:
        """The same fit with another covariance of its coefficients; nothing is fitted again.

        With B the inverse information, and u_i the score of observation i, the covariance is
        ``B M B`` (White 1980, Econometrica 48; Huber 1967) with the middle M by kind:

        ========= ===========================================================================
        HC0       ``sum u_i u_i'``
        HC1       the same times n / (n - k)
        HC2, HC3  each term divided by 1 - h_i, or by its square, with h_i the leverage
                  (MacKinnon and White 1985, J. Econometrics 29)
        cluster   ``sum s_g s_g'`` with s_g the sum of the scores of a cluster, times G / (G - 1);
                  of several clusterings by inclusion and exclusion (Cameron, Gelbach and
                  Miller 2011)
        HAC       ``sum_l (1 - l / (L + 1)) (C_l + C_l')`` with C_l the products of scores l
                  moments apart (Newey and West 1987)
        nonrobust ``M = B^-1`` times the dispersion: the covariance of the model
        ========= ===========================================================================

        Parameters
        ----------
        cov_type : str, optional
            "nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster" or "HAC"; "cluster" where `cluster`
            is given.
        cluster : column name, array, or list of them, optional
            The cluster of each row. A list, a frame or a dict is that many clusterings. A column is
            looked up in the table of the fit while that is there unchanged, or in `data`.
        type : {"HC0", "HC1", "HC2", "HC3"}, optional
            Of a cluster covariance: HC0 unless asked otherwise, as sandwich's `vcovCL` has it for a
            glm. HC2 and HC3 correct the scores of whole clusters (Bell and McCaffrey 2002).
        maxlags : int, optional
            L of HAC; ``floor(4 (T / 100)^(2/9))`` unless given, T the moments of a series.
        time : column name or array, optional
            When each row was made; in the order of the rows unless given. The scores of one time
            are added up.
        groups : column name or array, optional
            Series that do not depend on each other, for HAC of a panel.
        information : {"expected", "observed"}, optional
            That of this result unless given, the expected one where nothing else was asked for. B
            is the inverse of the expected information, as R's, or of the observed one, as in
            Stata; they differ where the link is not canonical.
        correction : {"sandwich", "statsmodels", "stata", "fixest"}
            Whose small-sample corrections. statsmodels' GLM leaves HC1 to HC3 as HC0, and
            multiplies clusters by (n - 1) / (n - k) as well; so does fixest, with the smallest G of
            all clusterings, and with one coefficient in k for a factor that is nested in the
            clusters; it sets negative eigenvalues, which several clusterings allow, to 0. Stata's
            glm has n / (n - 1) for HC1.
        cadjust : bool
            Whether clusters are adjusted by G / (G - 1).
        data : table, optional
            The table of the fit, where `cluster`, `time` or `groups` name columns and the table is
            no longer there: a result keeps encoded rows and no table. A result that holds no rows
            (loaded, pickled, or made with keep_data=False) reads them again from it, for fits of a
            formula without weights, trials, offset= or exposure= beside it.

        Returns
        -------
        Results
            The same estimates; `bse`, tests, intervals, tables and predictions with this
            covariance. Where the dispersion is estimated the reference distribution stays
            Student's t: with G - 1 degrees of freedom for clusters. Of several clusterings a
            variance may come out negative: its standard error is nan, and `notes` say so.

        Raises
        ------
        DataError
            For one cluster only, missing values in `cluster`, rows of leverage 1 under HC2 or HC3,
            an observed information that is not positive definite, where the result does not hold
            the rows of its fit, and for `data` that are others.
        ValueError
            For a kind that there is not, and for what has no part in the kind asked for.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {
        ...     "y": [1, 0, 2, 3, 5, 8, 2, 4],
        ...     "x": [0.0, 1, 2, 3, 4, 5, 1, 4],
        ...     "firm": ["a", "a", "b", "b", "c", "c", "d", "d"],
        ... }
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.bse.round(4).to_list()
        [0.5653, 0.1453]
        >>> fit.robust("HC3").bse.round(4).to_list()
        [0.4645, 0.1099]
        >>> fit.robust(cluster=table["firm"]).bse.round(4).to_list()
        [0.3204, 0.0806]
        """
        choice = CovarianceChoice.of(
            cov_type,
            cluster=cluster,
            type=type,
            maxlags=maxlags,
            time=time,
            groups=groups,
            information=information or information_of(self.fit.covariance),
            correction=correction,
            cadjust=cadjust,
        )
        return self._with_choice(choice, data)

    @understands_habits
    def get_robustcov_results(
        self,
        cov_type: str = "HC1",
        use_t: bool | None = None,
        *,
        groups: Any = None,
        maxlags: int | None = None,
        time: Any = None,
        use_correction: bool | None = None,
    ) -> Self:
        """`robust`, as statsmodels calls it: ``get_robustcov_results("cluster", groups=g)``.

        ``use_correction=True`` asks for the corrections of statsmodels; left out they are those of
        R's sandwich, as everywhere here.

        Raises
        ------
        DataError, ValueError
            As `robust`.
        """
        if use_t is not None and use_t != self.use_t:
            kind = "Student's t" if self.use_t else "the normal distribution"
            raise ValueError(
                f"use_t={use_t!r}: tests use {kind} here, since the dispersion of a "
                f"{self.family.name} model is {'estimated' if self.use_t else 'known'}"
            )
        keywords = {
            "groups": groups,
            "maxlags": maxlags,
            "time": time,
            "use_correction": use_correction,
        }
        choice = CovarianceChoice.of(
            cov_type, cov_kwds=keywords, information=information_of(self.fit.covariance)
        )
        return self._with_choice(choice, None)

    def _with_choice(self, choice: CovarianceChoice, data: Any) -> Self:
        if why := self.fit.without_errors:
            raise DataError(f"There is no covariance to begin with: {why}.")
        if choice.is_default:
            fit = dataclasses.replace(self.fit, covariance=self.fit.covariance.expected)
            return self._with_covariance_of(fit)
        held = rows_of(self.fit, self.model, data, "robust")
        return self.with_covariance(choice.read(held, self._lookup(choice, data)), held)

    def _lookup(self, choice: CovarianceChoice, data: Any) -> Callable[[str], Any]:
        """From the name of a column to its values."""
        if self.model.dataset is None:
            return lambda name: column_of_table(data, name)
        refuse_idle_table(data, choice.names_a_column)
        return lambda name: column_of_fit(self.model, name, data)

"""Owns what a fitted model answers beyond its estimates: predictions, residuals, reports.

Holds p-sized arrays and a reference to the data of the fit, never a copy; pickled or saved, it
holds no data.
"""

import dataclasses
import functools
from os import PathLike
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._numbers import FloatArray
from jaxglm._status import DataError
from jaxglm.diagnostics import ResidualKind, RowFacts, means, residuals, row_facts
from jaxglm.inference import (
    Bootstrap,
    Estimates,
    Overdispersion,
    Prediction,
    assess,
    bootstrap,
    check_scale,
    exponentiated,
    ratio_label,
    refusal,
)
from jaxglm.intake import MAX_MEMORY, Dataset, Model
from jaxglm.report import Summary, collect, summarise
from jaxglm.results._file import save_fit
from jaxglm.search import Fit


class Results(Estimates):
    """The outcome of a fit.

    Estimates, standard errors and intervals are on the scale of the linear predictor (the link);
    `predict` and `fittedvalues` are means unless asked otherwise. Names and counting follow
    statsmodels and R: p-sized answers are pandas objects labelled with the column names, t
    statistics where the dispersion is estimated and z where it is known, log-likelihood, AIC and
    BIC as R's `logLik`, `AIC` and `BIC`.

    Attributes
    ----------
    fit : Fit
        The arrays and scalars of the fit.
    model : Model
        What the fit was of: names, family, formula, and the data where still held.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fit = jg.glm("y ~ x", table, family="poisson")
    >>> fit.conf_int().round(3)
                   0      1
    Intercept -1.932  0.777
    x          0.204  0.869
    >>> fit.effects().round(3)
          rate ratio  conf_low  conf_high  p_value
    term
    x          1.711     1.227      2.385    0.002
    >>> fit.predict({"x": [6.0]}).round(2).to_list()
    [14.06]
    >>> fit.resid("pearson").round(2).to_list()
    [0.59, -0.98, 0.28, 0.11, 0.09, -0.08]
    """

    def __init__(self, fit: Fit, model: Model, facts: RowFacts | None = None):
        super().__init__(fit, model)
        self._saved_facts = facts

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of this fit should know, one plain sentence each; see `summary`."""
        return collect(self, self._known_facts)

    # -- predictions -----------------------------------------------------------------------------

    def predict(
        self,
        data: Any = None,
        which: Literal["mean", "linear"] = "mean",
        *,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
    ) -> pd.Series:
        """Predicted means or linear predictors, exactly one per row of `data`.

        Parameters
        ----------
        data : table or array, optional
            New data with the columns of the fit; the data of the fit when left out.
        which : {"mean", "linear"}
            Response scale (a probability for binomial models) or link scale.
        offset, exposure : array or column name, optional
            Needed for new data when the fit was given one outside the formula; `offset` is on the
            link scale, `exposure` enters as its logarithm.
        unseen : {"raise", "base", "nan"}
            A factor level that the fit never saw: an error, or the base level, or nan.

        Returns
        -------
        Series
            Labelled with the index of `data`; nan where a predictor is missing.

        Raises
        ------
        DataError
            When an offset or exposure is needed, a column or level is unknown, or there is no
            `data` and the result no longer holds its own.
        """
        check_scale(which)
        _, eta, index = self._linear(data, offset, exposure, unseen)
        values = eta if which == "linear" else means(self.family, eta)
        return pd.Series(values, index=index)

    def get_prediction(
        self,
        data: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
    ) -> Prediction:
        """Predictions with standard errors and intervals; arguments and errors as `predict`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.get_prediction({"x": [6.0]}).summary_frame().round(2)
            mean  mean_se  mean_ci_lower  mean_ci_upper
        0  14.06     6.07           6.03          32.79
        """
        matvec, eta, index = self._linear(data, offset, exposure, unseen)
        covariance = self.fit.covariance
        variance = covariance.linear_variance(matvec, len(eta))
        se = np.where(np.isnan(eta), np.nan, np.sqrt(variance))
        return Prediction(self.family, eta, se, covariance.df, index)

    @property
    def fittedvalues(self) -> pd.Series:
        """Fitted means of the rows of the fit (needs the data of the fit)."""
        return self.predict()

    # -- residuals -------------------------------------------------------------------------------

    def resid(self, kind: ResidualKind = "deviance") -> pd.Series:
        """Residuals of the rows of the fit, with R's prior weight w (trials included).

        Parameters
        ----------
        kind : {"response", "pearson", "deviance", "working"}
            y - mu; (y - mu) sqrt(w / V(mu)); sign(y - mu) sqrt(w d(y, mu)), d the unit deviance;
            (y - mu) / (d mu / d eta), on the link scale.

        Raises
        ------
        ValueError
            For another kind.
        DataError
            When the result no longer holds the data of its fit.
        """
        held = self._held("resid()")
        _, eta, index = self._linear(None, None, None, "raise")
        rows = held.rows
        values = residuals(kind, self.family, rows.y, eta, rows.unit_weight)
        return pd.Series(values, index=index)

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
    def resid_working(self) -> pd.Series:
        """`resid("working")`."""
        return self.resid("working")

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
            The data of the fit, for a result that was saved or pickled without them: for fits of a
            formula without weights, trials, offset= or exposure= beside it.
        n, seed : int
            Replicate i of n draws from ``numpy.random.default_rng([seed, i])``.
        cluster : column name or array, optional
            One value per row of the fit: whole clusters of rows are drawn.
        max_memory : float
            Bytes that the replicates in work may take.

        Returns
        -------
        Bootstrap

        Raises
        ------
        DataError
            When `data` are not those of the fit, the fit has no optimum, frequency weights are not
            whole numbers, or a row has no cluster.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
        >>> jg.glm("y ~ x", table, family="poisson").bootstrap(n=200, seed=1)
        <jaxglm.Bootstrap: 200 replicates of 8 observations>
        """
        return bootstrap(self.fit, self.model, data, n, seed, cluster, max_memory)

    # -- reports ---------------------------------------------------------------------------------

    def effects(self, alpha: float = 0.05) -> pd.DataFrame:
        """Exponentiated coefficients with intervals, labelled for what they are on this link.

        The first column is named `odds ratio` (logit), `rate ratio` (log link, counts), `risk
        ratio` (log link, binomial), `ratio of means` (log link, otherwise) or `hazard ratio`
        (cloglog, grouped survival times); then `conf_low`, `conf_high` and `p_value`. The
        intercept is left out: its exponential is a baseline, not a ratio.

        Raises
        ------
        ValueError
            On links where exponentiating has no meaning; the message says what to do instead.
        """
        label = ratio_label(self.family)
        if label is None:
            raise ValueError(refusal(self.family))
        low, high = self._interval(alpha)
        return exponentiated(
            self.names,
            label,
            coef=self.fit.coef,
            low=low,
            high=high,
            p_value=self._wald[1],
            infinite=self.fit.infinite,
        )

    def odds_ratios(self, alpha: float = 0.05) -> pd.DataFrame:
        """`effects()` of a model with a logit link, where they are odds ratios.

        Raises
        ------
        ValueError
            For another link or family; the message says what its coefficients are.
        """
        label = ratio_label(self.family)
        if label == "odds ratio":
            return self.effects(alpha)
        if label is not None:
            raise ValueError(
                f"This is a {self.family.name} model with a {self.family.link.name} link: its "
                f"exponentiated coefficients are no odds ratios but of the kind '{label}'. "
                "Use effects()."
            )
        raise ValueError(f"No odds ratios here. {refusal(self.family)}")

    def overdispersion(self) -> Overdispersion:
        """Whether the response varies more than the family allows, and what to do next.

        Poisson: the score test of no overdispersion against a negative binomial of Dean and
        Lawless (1989, JASA 84, 467-472), ``sum((y - mu)^2 - y + h mu) / sqrt(2 sum(mu^2))``,
        standard normal, one-sided, with the average leverage for h. Negative binomial: Pearson
        chi2 less `df_resid` in standard deviations ``sqrt(sum(2 + 6 alpha + 1 / V(mu)))``, the
        fourth moment of the family, since chi2 is no chi-squared variable there. Grouped binomial
        and other known dispersions: Pearson chi2 on `df_resid`. Single 0/1 outcomes: no test, since
        their variance is fixed by the mean. Families that estimate the dispersion: ratios only.

        Raises
        ------
        DataError
            When the result was unpickled without its data and without these facts.
        """
        return assess(self, self.row_facts)

    def summary(self, alpha: float = 0.05, max_rows: int | None = 200) -> Summary:
        """Header, coefficient table and plain-language notes.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.
        max_rows : int or None
            Longer coefficient tables are cut here, and say so; None shows all.

        Returns
        -------
        Summary
            Prints as text; `as_text()`, `as_html()`, `as_latex()`.
        """
        return summarise(self, self.notes, alpha, max_rows)

    def to_latex(self, alpha: float = 0.05) -> str:
        """The summary as a LaTeX table."""
        return self.summary(alpha).as_latex()

    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient, link scale.

        Columns `term, estimate, std_error, statistic, p_value, conf_low, conf_high`.
        """
        low, high = self._interval(alpha)
        return pd.DataFrame(
            {
                "term": self.names,
                "estimate": self.fit.coef,
                "std_error": self._se,
                "statistic": self._wald[0],
                "p_value": self._wald[1],
                "conf_low": low,
                "conf_high": high,
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row with the scalars of the fit, under their attribute names."""
        scalars = (
            "nobs df_model df_resid llf llnull aic bic deviance null_deviance pearson_chi2 scale "
            "converged n_iter method"
        )
        row = {"family": self.family.name, "link": self.family.link.name}
        row |= {name: getattr(self, name) for name in scalars.split()}
        return pd.DataFrame([row])

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to one file without its data; `jaxglm.load(path)` reads it.

        The file holds arrays and a JSON header, no pickled objects and no code.

        Raises
        ------
        DataError
            When the model cannot be written without code.
        """
        save_fit(path, self.fit, self.model, self._known_facts)

    def __repr__(self) -> str:
        what = self.model.formula or f"{self.model.y_name} on {len(self.names)} columns"
        family = f"{self.family.name}/{self.family.link.name}"
        state = "converged" if self.converged else self.status.name.lower()
        return f"<jaxglm.Results: {what}, {family}, {self.nobs:.10g} observations, {state}>"

    def _repr_html_(self) -> str:
        return self.summary().as_html()

    def __getstate__(self) -> dict[str, Any]:
        model = dataclasses.replace(self.model, dataset=None)
        return {"fit": self.fit, "model": model, "_saved_facts": self._known_facts}

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _known_facts(self) -> RowFacts | None:
        """`row_facts` where the data is there, or they were kept from when it was."""
        return self._saved_facts if self.model.dataset is None else self.row_facts

    @functools.cached_property
    def row_facts(self) -> RowFacts:
        """What notes and tests know of the rows; kept when the data is dropped."""
        if self._saved_facts is not None:
            return self._saved_facts
        rows = self._held("overdispersion()").rows
        _, eta, _ = self._linear(None, None, None, "raise")
        return row_facts(
            self.family,
            rows.y,
            eta,
            weight=rows.unit_weight,
            freq=np.ones(len(rows)) if rows.freq is None else rows.freq,
            trials=rows.trials,
            rank=self._rank,
        )

    def _held(self, what: str) -> Dataset:
        if self.model.dataset is None:
            raise DataError(
                f"{what} needs the rows of the fit, and this result holds none: results that were "
                "saved, loaded or pickled leave the data behind. Fit again, or use "
                "predict(data) and get_prediction(data) with data= given."
            )
        return self.model.dataset

    def _linear(
        self, data: Any, offset: Any, exposure: Any, unseen: str
    ) -> tuple[Any, FloatArray, pd.Index]:
        """The matvec of a design, its linear predictor with offset, and its index."""
        # An aliased column has no coefficient and no part in the fit.
        coef = np.where(self.fit.aliased, 0.0, self.fit.coef)
        if data is None:
            if offset is not None or exposure is not None:
                raise DataError(
                    "offset= and exposure= belong to new data; the rows of the fit have theirs. "
                    "Give data= as well."
                )
            held = self._held("A prediction without data")
            matvec = held.columns().matvec
            shift, missing, index = held.rows.offset, None, held.index
        else:
            design, shift, missing, index = self.model.new_design(
                data, offset=offset, exposure=exposure, unseen=unseen
            )
            matvec = design.matvec
        eta = np.array(matvec(coef), dtype=np.float64)
        if shift is not None:
            eta = eta + shift
        if missing is not None:
            eta = np.where(missing, np.nan, eta)
        return matvec, eta, pd.RangeIndex(len(eta)) if index is None else index

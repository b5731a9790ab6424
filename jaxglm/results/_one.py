"""Owns `Results`: what a fit answers, its reports and its file."""

from os import PathLike

import pandas as pd

from jaxglm.inference import Overdispersion, assess, exponentiated, ratio_label, refusal
from jaxglm.report import Summary, collect, summarise
from jaxglm.results._bootstrap import Resampling
from jaxglm.results._checks import Checks
from jaxglm.results._comparisons import Comparisons
from jaxglm.results._design_matrix import DesignMatrix
from jaxglm.results._file import save_fit
from jaxglm.results._jackknife import Jackknife
from jaxglm.results._margins import Margins
from jaxglm.results._plots import Plotted
from jaxglm.results._profile import Profiles
from jaxglm.results._protocols import Protocols
from jaxglm.results._reduced import ReducedAnswers
from jaxglm.results._relaxed import Relaxed
from jaxglm.results._residuals import Residuals
from jaxglm.results._robust import RobustAnswers
from jaxglm.results._rowwise import ROWS_CHANGED
from jaxglm.results._shape import ShapeAnswers
from jaxglm.results._simulate import Simulation
from jaxglm.results._smooth import SmoothTerms
from jaxglm.results._tests import HypothesisTests
from jaxglm.words import understands_habits


class Results(
    Residuals,
    RobustAnswers,
    HypothesisTests,
    Checks,
    Jackknife,
    ReducedAnswers,
    Comparisons,
    Profiles,
    Margins,
    Simulation,
    Resampling,
    DesignMatrix,
    ShapeAnswers,
    SmoothTerms,
    Relaxed,
    Plotted,
    Protocols,
):
    """The outcome of a fit.

    Estimates, standard errors and intervals are on the scale of the linear predictor (the link);
    `predict` and `fittedvalues` are means unless asked otherwise. Names and counting follow
    statsmodels and R: p-sized answers are pandas objects labelled with the column names, t
    statistics where the dispersion is estimated and z where it is known, log-likelihood, AIC and
    BIC as R's `logLik`, `AIC` and `BIC`.

    What needs the rows of the fit is computed from the rows as the fit saw them: the table may
    change or go. Per row, a result keeps 8 bytes for each numeric column of the design, 4 for each
    factor, and 8 each for response, weight and what else was given (offset, frequencies, trials);
    for a sparse matrix, 16 bytes an entry. A matrix given as an array is read in place and not
    copied: the result keeps it alive, with 8 bytes a row that tell whether it was changed, and
    refuses to answer from a changed one. Linear predictors, once asked for, are kept as well: 8
    bytes a row. `data_nbytes` says what it comes to. With
    ``keep_data=False``, pickled or saved, a result holds none of it.

    Attributes
    ----------
    fit : Fit
        The arrays and scalars of the fit.
    model : Model
        What the fit was of: names, family, formula, and the rows where still held.

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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of this fit should know, one plain sentence each; see `summary`."""
        facts = self._known_facts
        notes = collect(self, facts)
        if facts is None and self.model.dataset is not None:
            notes += (ROWS_CHANGED,)
        return notes

    # -- reports ---------------------------------------------------------------------------------

    @understands_habits
    def effects(self, alpha: float = 0.05) -> pd.DataFrame:
        """Exponentiated coefficients with intervals, labelled for what they are on this link.

        The first column is named `odds ratio` (logit), `rate ratio` (log link, counts), `risk
        ratio` (log link, binomial), `ratio of means` (log link, otherwise) or `hazard ratio`
        (cloglog, grouped survival times); then `conf_low`, `conf_high` and `p_value`. The
        intercept is left out: its exponential is a baseline, not a ratio; so are the columns of a
        curve ``s(x)``. Where a coefficient runs to infinity the ratio is inf or 0, and the rest
        nan.

        Raises
        ------
        ValueError
            On links where exponentiating has no meaning; the message says what to do instead.
        """
        label = ratio_label(self.family)
        if label is None:
            raise ValueError(refusal(self.family))
        low, high = self._interval(alpha)
        table = exponentiated(
            self.names,
            label,
            coef=self.fit.estimates,
            low=low,
            high=high,
            p_value=self._wald[1],
        )
        spec = self.model.spec
        curves = () if spec is None else (t for t in spec.shrunk if not spec.is_random(t))
        places = dict(self.model.terms)
        return table.drop([name for term in curves for name in self.names[places[term]]])

    @understands_habits
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

    @understands_habits
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
            When these facts of the rows were not kept (a file of many fits by an early
            version), or the matrix given was changed before they were asked for.
        """
        return assess(self, self.row_facts)

    @understands_habits
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

    @understands_habits
    def to_latex(self, alpha: float = 0.05) -> str:
        """The summary as a LaTeX table."""
        return self.summary(alpha).as_latex()

    @understands_habits
    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient, link scale.

        Columns `term, estimate, std_error, statistic, p_value, conf_low, conf_high, infinite`; the
        last tells where an estimate is inf or -inf, with nan beside it (separation). An estimate
        that nothing determines is nan.
        """
        low, high = self._interval(alpha)
        return pd.DataFrame(
            {
                "term": self.names,
                "estimate": self.fit.estimates,
                "std_error": self._se,
                "statistic": self._wald[0],
                "p_value": self._wald[1],
                "conf_low": low,
                "conf_high": high,
                "infinite": self.fit.infinite,
            }
        )

    @understands_habits
    def glance(self) -> pd.DataFrame:
        """One row with the scalars of the fit, under their attribute names."""
        scalars = (
            "nobs df_model df_resid llf llnull aic bic deviance null_deviance pearson_chi2 scale "
            "status converged n_iter method cov_type"
        )
        row = {"family": self.family.name, "link": self.family.link.name}
        row |= {name: getattr(self, name) for name in scalars.split()}
        row["status"] = self.status.name.lower()
        return pd.DataFrame([row])

    @understands_habits
    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to one file without its data; `jaxglm.load(path)` reads it.

        The file holds arrays and a JSON header, no pickled objects and no code. One that was there
        is replaced once the new one is whole and on the disk.

        Raises
        ------
        DataError
            When the model cannot be written without code, or there is no such folder.
        OSError
            When the file cannot be written, as on a full disk; its `filename` is the path.
        """
        save_fit(path, self.fit, self.model, self._known_facts)

    @understands_habits
    def without_data(self) -> "Results":
        """The same result without the rows of the fit, as ``keep_data=False`` gives it."""
        return Results(self.fit, self.model.without_rows(let_go=True), self._known_facts)

    def __repr__(self) -> str:
        what = self.model.formula or f"{self.model.y_name} on {len(self.names)} columns"
        family = f"{self.family.name}/{self.family.link.name}"
        state = "converged" if self.converged else self.status.name.lower()
        return f"<jaxglm.Results: {what}, {family}, {self.nobs:.10g} observations, {state}>"

    def _repr_html_(self) -> str:
        return self.summary().as_html()

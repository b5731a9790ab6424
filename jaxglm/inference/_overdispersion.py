"""Owns the overdispersion report: two ratios, a test, and what to do next, in plain words."""

import dataclasses
import textwrap
from collections.abc import Set
from typing import Any

import numpy as np

from jaxglm.diagnostics import RowFacts
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.covariances._asked import is_robust
from jaxglm.words import count, measure, p_value, statistic

# Above this ratio a standard error is off by more than a fifth (sqrt(1.5) = 1.22).
MILD_RATIO = 1.5
LEVEL = 0.05


@dataclasses.dataclass(frozen=True, repr=False)
class Overdispersion:
    """Whether the response varies more than the family of the fit allows.

    Attributes
    ----------
    pearson_chi2, deviance, df_resid : float
        The two measures of fit and the degrees of freedom both are compared with.
    pearson_ratio, deviance_ratio : float
        Each over `df_resid`; near 1 when the variance is as the family says.
    test : str
        Name of the test, empty when none applies.
    statistic, pvalue : float
        Its statistic and its upper-tail probability, that of as much variation; nan when none
        applies.
    pvalue_lower : float
        Its lower-tail probability, that of as little variation.
    overdispersed : bool or None
        The verdict at the 5 % level; None when the data cannot tell.
    underdispersed : bool
        Whether the response varies significantly less than the family says (2.5 % level).
    caution : str
        Why the test may mislead on these data; empty when it should not.
    advice : str
        What it means and what to do next.
    """

    pearson_chi2: float
    deviance: float
    df_resid: float
    pearson_ratio: float
    deviance_ratio: float
    test: str
    statistic: float
    pvalue: float
    pvalue_lower: float
    overdispersed: bool | None
    underdispersed: bool
    caution: str
    advice: str

    def __str__(self) -> str:
        lines = [
            "Overdispersion",
            f"  Pearson chi2 / df   {self.pearson_ratio:10.4f}   "
            f"({measure(self.pearson_chi2)} / {count(self.df_resid)})",
            f"  deviance / df       {self.deviance_ratio:10.4f}   "
            f"({measure(self.deviance)} / {count(self.df_resid)})",
        ]
        if self.test:
            tail = f"p {equals(self.pvalue)}"
            if self.underdispersed:
                tail = f"p of so little variation {equals(self.pvalue_lower)}"
            lines.append(f"  {self.test}: {statistic(self.statistic)}, {tail}")
        words = [f"Caution: {self.caution}"] if self.caution else []
        for sentence in [*words, self.advice]:
            lines += textwrap.wrap(sentence, 78, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(lines)

    __repr__ = __str__

    @property
    def serious(self) -> bool:
        """Overdispersed enough to mislead: significant and a ratio above 1.5."""
        return bool(self.overdispersed) and self.pearson_ratio > MILD_RATIO


def assess(estimates: Estimates, facts: RowFacts) -> Overdispersion:
    """Choose the test that the family and the rows allow, and put the outcome in words."""
    from scipy import special

    family, df_resid, used = estimates.family, estimates.df_resid, estimates.model.used
    pearson_chi2, deviance = estimates.pearson_chi2, estimates.deviance
    ratio = pearson_chi2 / df_resid if df_resid > 0 else np.nan
    test, value, caution = "", np.nan, ""
    pvalue = lower = np.nan
    if df_resid <= 0:
        caution = "the model has as many coefficients as observations, so nothing is left to test."
    elif not family.dispersion_fixed:
        pass
    elif family.name == "binomial" and facts.zero_one:
        caution = (
            "each row is a single 0/1 outcome, whose variance is fixed by its mean: these ratios "
            "say nothing about overdispersion. Rows that share all predictors can be grouped into "
            "successes and failures; then it can be seen."
        )
    elif family.name == "binomial" and not used & {"trials", "var_weights"} and not facts.grouped:
        caution = (
            "the response holds shares without the number of trials behind them, so how much they "
            "should vary is not known. Give it as trials=."
        )
    elif family.name == "poisson" and np.isfinite(facts.dean_lawless):
        test, value = "Dean-Lawless score test against NB2", facts.dean_lawless
        pvalue, lower = float(special.ndtr(-value)), float(special.ndtr(value))
        if facts.total_mean < 20:
            caution = "fewer than 20 events in all; the normal approximation of the test is rough."
    elif np.isfinite(facts.pearson_variance):
        test = "Pearson chi2 less df, in standard deviations"
        value = (pearson_chi2 - df_resid) / np.sqrt(facts.pearson_variance)
        pvalue, lower = float(special.ndtr(-value)), float(special.ndtr(value))
    else:
        test, value = "Pearson chi2 test", pearson_chi2
        pvalue = float(special.chdtrc(df_resid, value))
        lower = float(special.chdtr(df_resid, value))
        caution = _chi2_caution(family, facts)
    if estimates.infinite.any():
        # They are fitted exactly, and count among the degrees of freedom all the same.
        lower = np.nan
        gone = "rows whose mean is at its limit (separation) add nothing to chi2 and count in df."
        caution = " ".join(filter(None, [caution, gone]))
    tested = bool(np.isfinite(pvalue))
    over = bool(pvalue < LEVEL) if tested else None
    under = bool(lower < LEVEL / 2) and ratio < 1
    suspect = suspect_weights(used) if over or under else ""
    return Overdispersion(
        pearson_chi2=pearson_chi2,
        deviance=deviance,
        df_resid=df_resid,
        pearson_ratio=ratio,
        deviance_ratio=deviance / df_resid if df_resid > 0 else np.nan,
        test=test,
        statistic=value,
        pvalue=pvalue,
        pvalue_lower=lower,
        overdispersed=over,
        underdispersed=under,
        caution=" ".join(filter(None, [suspect, caution])),
        advice=_advice(estimates, ratio, over, under),
    )


def _chi2_caution(family: Any, facts: RowFacts) -> str:
    if facts.grouped and facts.sparse_share > 0.2:
        return (
            f"{facts.sparse_share:.0%} of the rows expect fewer than 5 successes or failures; "
            "the chi-squared approximation is rough there (Cochran's rule allows 20 %)."
        )
    if family.name != "binomial":
        return "The chi-squared approximation is rough where fitted means are below about 5."
    return ""


def suspect_weights(used: Set[str]) -> str:
    """What to look at before the model is blamed: the weights that the ratio is made with."""
    if "var_weights" in used:
        return (
            "chi2 is proportional to var_weights: weights k times too large give k times the "
            "ratio, whatever the model. Check their scale first: a row of weight w is the mean of "
            "w observations (where only their ratios are known, a quasi family finds the scale)."
        )
    if "freq_weights" in used:
        return (
            "freq_weights count a row as so many equal observations. Check first that they are "
            "such counts: weights that say how precise a row is are var_weights, and sampling "
            "weights are neither."
        )
    return ""


def _advice(estimates: Estimates, ratio: float, over: bool | None, under: bool) -> str:
    family, used = estimates.family, estimates.model.used
    if not family.dispersion_fixed:
        return (
            f"The {family.name} family estimates its dispersion from the data, and the standard "
            "errors already include it: nothing to correct."
        )
    if over is None:
        return "No verdict: these data cannot show overdispersion."
    weights = [f"the {name}" for name in ("var_weights", "freq_weights") if name in used]
    who = " and ".join(["the model", *weights])
    allow = "allow" if weights else "allows"
    if (over or under) and not estimates.rests_on_variance:
        more = (
            f"The response varies {ratio:.3g} times as much as" if over else "Less variation than"
        )
        return f"{more} {who} {allow}; {_allowance(estimates)}."
    errors = ". If the weights are right, the standard" if weights else ": standard"
    if under:
        return (
            f"Less variation than {who} {allow}{errors} errors are too large rather than too "
            f"small, and {_quasi(family)} would shrink them."
        )
    if not over:
        return f"No sign of more variation than {who} {allow}."
    return (
        f"The response varies {ratio:.3g} times as much as {who} {allow}{errors} errors are too "
        f"small by a factor of about {np.sqrt(ratio):.2g}. What next: "
        f"{_remedy(family, used)}"
    )


def _allowance(estimates: Estimates) -> str:
    """How standard errors that do not rest on the variance of the family allow for another."""
    if is_robust(estimates.fit.covariance):
        return f"the standard errors are robust to it ({estimates.cov_type})"
    phi = f"a dispersion of {estimates.scale:.4g}"
    if estimates.fit.covariance.df is None:
        return f"the standard errors already include {phi}, the number given as scale="
    return f"the standard errors already include it, as {phi}: nothing to correct"


def _quasi(family: Any) -> str:
    name = {"poisson": "quasipoisson", "binomial": "quasibinomial"}.get(family.name)
    return f"family='{name}'" if name else "a quasi family (jaxglm.Quasi)"


def equals(p: float) -> str:
    """A p-value after its letter: "= 0.03", or "< 1e-300" where it underflows."""
    text = p_value(p)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def _remedy(family: Any, used: Set[str]) -> str:
    if family.name == "poisson":
        known = used & {"exposure", "offset"}
        missing = "predictor is missing" if known else "predictor or exposure is missing"
        return (
            f"if no {missing}, refit with family='quasipoisson' (same "
            "coefficients, wider intervals) or family='negative_binomial' (with a likelihood)."
        )
    if family.name == "binomial":
        return (
            "if no predictor is missing and trials holds the number of outcomes of each row, refit "
            "with family='quasibinomial' (same coefficients, wider intervals): outcomes of one row "
            "that depend on each other vary so."
        )
    return "look for a missing predictor, outliers or excess zeros, or estimate the shape."

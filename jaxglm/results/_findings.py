"""Owns what `Results.check` looks at, when that is a finding, and what to do about it."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import (
    Influence,
    equals,
    inflation,
    is_robust,
    link_test,
    variance_test,
)
from jaxglm.intake import Dataset
from jaxglm.report import distribution_notes
from jaxglm.results._check_report import NOTABLE, SERIOUS, CheckReport, Finding
from jaxglm.words import FloatArray, count, listed, statistic

# Of so many looks at the rows of a fit a few have small p-values by chance.
_LEVEL = 0.001
_FEW_EVENTS = 10
# Collinearity from which a coefficient has three, and ten, times the error that it could have.
_INFLATED, _LOST = 3.0, 10.0
_FAR, _FURTHER = 0.5, 1.0


class Look:
    """A result with what several checks ask of its rows, which is made once.

    Attributes
    ----------
    result : Results
    fitted : Dataset, [n]
        The rows, and their linear predictors.
    """

    def __init__(self, result: Any):
        self.result = result
        self.fitted: tuple[Dataset, FloatArray] = result._fitted("check()", columns=True)

    @functools.cached_property
    def influence(self) -> Influence:
        """Leverage and what follows from it."""
        return Influence(self.result.fit, self.result.family, *self.fitted, self.result.names)


# A check answers with a finding, None where all is in order, or words on why it does not apply.
Check = Callable[[Look], Finding | str | None]


def report(result: Any) -> CheckReport:
    """Run what fits the family, and put it in order."""
    look = Look(result)
    findings, passed, skipped = [], [], []
    for topic, check in CHECKS.items():
        try:
            found = check(look)
        except DataError as error:
            found = str(error).split(": ", 1)[-1].split(". ")[0].rstrip(".")
        if isinstance(found, Finding):
            findings.append(found)
        elif found is None:
            passed.append(topic)
        elif found:
            skipped.append(f"{topic} ({found})")
    findings.sort(key=lambda one: one.severity != SERIOUS)
    family = result.family
    what = result.model.formula or result.model.y_name
    subject = f"Check of {what} ({family.name}, {family.link.name} link)"
    return CheckReport(subject, tuple(findings), tuple(passed), tuple(skipped))


def _optimum(look: Look) -> Finding | None:
    result = look.result
    if result.converged and not result.infinite.any():
        return None
    notes = " ".join(result.fit.notes) or result.status.message
    remedy = (
        "Report that these columns decide the outcome: how much, no number says."
        if result.infinite.any()
        else "Look for columns on very different scales, a wrong family, or give max_turns=."
    )
    return Finding(SERIOUS, "the optimum", notes, remedy)


def _distribution(look: Look) -> Finding | None:
    result = look.result
    notes = distribution_notes(result, result.row_facts)
    if not notes:
        return None
    remedy = "jaxglm.suggest_family(y) lists the families that suit a response, and why."
    return Finding(SERIOUS, "the family", " ".join(notes), remedy)


def _variation(look: Look) -> Finding | str | None:
    result = look.result
    if not result.family.dispersion_fixed:
        return ""
    report = result.overdispersion()
    if report.overdispersed is None:
        return "these data cannot show it"
    if not (report.serious or report.underdispersed) or not result.rests_on_variance:
        return None
    pvalue = report.pvalue if report.overdispersed else report.pvalue_lower
    if report.underdispersed and pvalue >= _LEVEL:
        return None
    evidence = (
        f"Pearson chi2 is {report.pearson_ratio:.3g} times its degrees of freedom "
        f"(p {equals(pvalue)})."
    )
    severity = SERIOUS if report.overdispersed else NOTABLE
    topic = "overdispersion" if report.overdispersed else "underdispersion"
    return Finding(severity, topic, evidence, report.advice)


def _zeros(look: Look) -> Finding | str | None:
    result = look.result
    if result.family.name not in ("poisson", "negative_binomial"):
        return ""
    if "var_weights" in result.model.used:
        return "with var_weights a row is no count"
    if result.scale != 1:
        return "with scale= a count of 0 has no probability"
    zeros = result.zero_inflation()
    if not (zeros.pvalue < _LEVEL):
        return None
    evidence = (
        f"{count(zeros.observed)} zeros where the model expects {zeros.expected:.4g} "
        f"(p {equals(zeros.pvalue)})."
    )
    return Finding(NOTABLE, "zeros", evidence, zeros.advice)


def _shape(look: Look) -> Finding | str | None:
    result = look.result
    held, eta = look.fitted
    test = link_test(result.fit, result.family, held, eta)
    if np.isnan(test.pvalue):
        return "no column would show it"
    if test.pvalue >= _LEVEL:
        return None
    evidence = (
        "The square of the linear predictor says more than the model does "
        f"(score test, z {statistic(test.z)}, p {equals(test.pvalue)}): an effect is curved, two "
        "effects depend on each other, or the link is another one."
    )
    remedy = (
        "Plot partial residuals; try bs(x, df=4) in place of x, an interaction, or another link. "
        "In very many rows small deviations are found as well: see calibration()."
    )
    return Finding(NOTABLE, "the shape of the model", evidence, remedy)


def _variance(look: Look) -> Finding | str | None:
    result = look.result
    if result.family.dispersion_fixed:
        return ""
    held, eta = look.fitted
    test = variance_test(result.fit, result.family, held, eta)
    if not test.pvalue < _LEVEL:
        return None
    way = "grows" if test.z > 0 else "falls"
    evidence = (
        f"The variance {way} with the fitted value more than the {result.family.name} family "
        f"allows (z {statistic(test.z)}, p {equals(test.pvalue)})."
    )
    remedy = "Ask for robust standard errors, robust('HC3'), or take a family whose variance does."
    severity = NOTABLE if is_robust(result.fit.covariance) else SERIOUS
    return Finding(severity, "unequal variances", evidence, remedy)


def _outliers(look: Look) -> Finding | str | None:
    result = look.result
    from scipy import special

    if result.row_facts.zero_one:
        return "single 0/1 outcomes have none"
    known = result.family.dispersion_fixed and result.scale == 1.0  # robust errors or not
    if known and result.overdispersion().serious:
        return "under overdispersion many rows lie far out"
    residual = look.influence.resid_studentized_external
    known = residual.dropna()
    if known.empty:
        return "no residual degrees of freedom"
    p = 2 * special.ndtr(-known.abs()) * result.nobs
    far = known[p < 0.05]
    if far.empty:
        return None
    worst = far.abs().sort_values(ascending=False).index
    evidence = (
        f"{_rows(worst, 'lies', 'lie')} further from the model than chance leaves the worst of "
        f"{count(result.nobs)} observations (studentised residual up to "
        f"{statistic(far.abs().max())}, Bonferroni p < 0.05)."
    )
    remedy = "Look whether these rows are errors; compare with the fit without them."
    return Finding(NOTABLE, "outliers", evidence, remedy)


def _influential(look: Look) -> Finding | None:
    distance = look.influence.cooks_distance.dropna()
    far = distance[distance > _FAR]
    if far.empty:
        return None
    worst = far.sort_values(ascending=False).index
    evidence = (
        f"{_rows(worst, 'has', 'have')} a Cook's distance above {_FAR:g} (up to "
        f"{statistic(far.max())}): without such a row the estimates are others."
    )
    remedy = "get_influence().dfbetas says which coefficients move; report the fit without as well."
    severity = SERIOUS if far.max() > _FURTHER else NOTABLE
    return Finding(severity, "influential rows", evidence, remedy)


def _alone(look: Look) -> Finding | None:
    result = look.result
    if result.df_resid <= 0:
        evidence = (
            "There are as many coefficients as observations: every response is fitted exactly, and "
            "how responses vary about the model cannot be seen."
        )
        remedy = "Leave out terms, or join levels of a factor, to have observations to spare."
        return Finding(SERIOUS, "rows that stand alone", evidence, remedy)
    alone, held = look.influence.alone, look.fitted[0]
    if not alone.size:
        return None
    one = alone.size == 1
    names = _only_in(held, alone[:5], result.names)
    fitted = f"{'is' if one else 'are'} fitted exactly (leverage 1)"
    what = f": {listed(names, 5)} {_are(names)} 0 in all others" if names else ""
    evidence = (
        f"{_rows(held.labels_of(alone), fitted, fitted)}, whatever "
        f"{'its response is' if one else 'their responses are'}{what}. Nothing here tells whether "
        f"{'it is an error' if one else 'these are errors'}, and a coefficient rests on "
        f"{'it' if one else 'each'} alone."
    )
    remedy = (
        "Join the level with another, or leave the row out: predictions of the other rows stay as "
        "they are. HC2 and HC3 standard errors are not to be had beside such a row, and HC0, HC1 "
        "and cluster errors of its coefficient mean nothing: its residual is 0, whatever it was."
    )
    return Finding(NOTABLE, "rows that stand alone", evidence, remedy)


def _are(things: list[str]) -> str:
    return "is" if len(things) == 1 else "are"


def _only_in(held: Dataset, rows: np.ndarray, names: list[str]) -> list[str]:
    """The columns that are zero in all rows that count but one of `rows`."""
    sizes = held.columns.absolute()
    total, own = sizes.rmatvec(held.rows.live.astype(float)), np.zeros(len(names))
    for row in rows:
        entries = sizes.rows(np.array([row])).rmatvec(np.ones(1))
        own[entries == total] = entries[entries == total]
    return [name for name, size in zip(names, own, strict=True) if size > 0]


def _collinear(look: Look) -> Finding | str | None:
    result = look.result
    if result.model.constraints:
        return "coefficients are held to each other"
    aliased = result.params.index[np.asarray(result.fit.aliased)]
    if len(aliased):
        evidence = f"Other columns determine {listed(aliased, 5)}: there is no coefficient."
        return Finding(NOTABLE, "collinearity", evidence, "Leave out one of the columns.")
    if len([1 for label, _ in result.model.terms]) < 3:
        return ""
    table = inflation(result.fit.covariance, result.names, result.model.terms)
    worst = table.per_coefficient[table.per_coefficient > _INFLATED].sort_values(ascending=False)
    if worst.empty:
        return None
    evidence = (
        f"{listed(worst.index, 5)}: standard errors are up to {worst.iloc[0]:.2g} times those "
        "of unrelated columns."
    )
    remedy = (
        "The single coefficients are poorly known, predictions are not: test such terms together "
        "(wald_test), or leave one out. Powers and products of a column are collinear by nature."
    )
    severity = SERIOUS if worst.iloc[0] > _LOST else NOTABLE
    return Finding(severity, "collinearity", evidence, remedy)


def _events(look: Look) -> Finding | str | None:
    result = look.result
    if tuple(result.family.mean_domain) != (0.0, 1.0):
        return ""
    rows = look.fitted[0].rows
    events = float(np.sum(rows.weight * rows.y))
    fewer = min(events, float(np.sum(rows.weight)) - events)
    each = fewer / max(result.df_model, 1)
    if each >= _FEW_EVENTS:
        return None
    evidence = (
        f"{count(fewer)} of the rarer outcome for {result.df_model} coefficients, "
        f"{each:.2g} for each: estimates are too large on average, and tests rough."
    )
    remedy = f"Fewer terms (some {_FEW_EVENTS} outcomes for each), or estimates of reduced bias."
    return Finding(NOTABLE, "few events", evidence, remedy)


def _rows(labels: pd.Index, one: str, many: str) -> str:
    return f"Row {labels[0]} {one}" if len(labels) == 1 else f"Rows {listed(labels, 5)} {many}"


CHECKS: dict[str, Check] = {
    "the optimum": _optimum,
    "the family": _distribution,
    "the variation": _variation,
    "zeros": _zeros,
    "few events": _events,
    "the shape of the model": _shape,
    "unequal variances": _variance,
    "rows that stand alone": _alone,
    "influential rows": _influential,
    "outliers": _outliers,
    "collinearity": _collinear,
}

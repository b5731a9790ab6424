"""Owns the plain-language notes under a summary: one sentence each, and only when they apply."""

import numpy as np

from jaxglm.diagnostics import RowFacts
from jaxglm.inference import (
    Estimates,
    assess,
    equals,
    meaning,
    ratio_label,
    suspect_weights,
)


def collect(estimates: Estimates, facts: RowFacts | None) -> tuple[str, ...]:
    """What the fit reported, then what the response says about the family, then how to read it.

    Nothing is said about the response where no `facts` of the rows are known.
    """
    notes = [*estimates.fit.notes, *estimates.fit.covariance.notes]
    if facts is not None:
        notes += distribution_notes(estimates, facts)
        notes += _variation(estimates, facts)
    notes += _reading(estimates)
    return tuple(dict.fromkeys(notes))


def distribution_notes(estimates: Estimates, facts: RowFacts) -> list[str]:
    """What the response says about the family."""
    name, response = estimates.family.name, estimates.model.y_name
    if facts.zero_one and name == "gaussian":
        return [
            f"{response} holds only 0 and 1: a Gaussian model predicts outside that range and "
            "assumes one variance for all; family='binomial' models the probability."
        ]
    if facts.zero_one and name in ("poisson", "negative_binomial", "quasipoisson"):
        return [
            f"{response} holds only 0 and 1, not counts: family='binomial' has its variance "
            "(link='log' there gives risk ratios)."
        ]
    if facts.small_counts and name == "gaussian":
        return [
            f"{response} looks like counts: a Gaussian model predicts below 0 and assumes one "
            "variance for all; family='poisson' is made for counts."
        ]
    return []


def _variation(estimates: Estimates, facts: RowFacts) -> list[str]:
    report = assess(estimates, facts)
    if not report.serious or not estimates.rests_on_variance:
        return []
    refit = {
        "poisson": "family='quasipoisson' or 'negative_binomial' allows for it; ",
        "binomial": "family='quasibinomial' allows for it; ",
    }.get(estimates.family.name, "")
    ratio, suspect = report.pearson_ratio, suspect_weights(estimates.model.used)
    words = f"Pearson chi2/df is {ratio:.3g} (p {equals(report.pvalue)})"
    small = f"standard errors are too small by a factor of about {np.sqrt(ratio):.2g}"
    if suspect:
        return [
            f"Overdispersion, or wrong weights: {words}, and {suspect} If they are right, {small}; "
            f"{refit}see .overdispersion()."
        ]
    return [f"Overdispersion: {words}, so {small}; {refit}see .overdispersion()."]


def _reading(estimates: Estimates) -> list[str]:
    """How to read a coefficient; silent for the identity link, where it is what it seems."""
    family = estimates.family
    link, label = family.link.name, ratio_label(family)
    if link == "identity":
        return []
    if label is None:
        return [f"A coefficient is {meaning(family)}."]
    scale = {
        "odds ratio": "log-odds",
        "hazard ratio": "log hazards",
        "risk ratio": "log risks",
        "rate ratio": "log rates",
        "ratio of means": "log means",
    }[label]
    plural = label.replace("ratio", "ratios", 1)
    door = "odds_ratios" if label == "odds ratio" else "effects"
    event = estimates.model.event
    of = f" of {estimates.model.y_name} = {event}" if event is not None else ""
    return [f"Coefficients are differences in {scale}{of}; .{door}() gives {plural}."]

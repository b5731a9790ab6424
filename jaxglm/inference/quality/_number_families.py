"""Owns which families suit numbers, from the facts of the response by itself."""

from collections.abc import Iterator, Sequence

import numpy as np

from jaxglm.diagnostics import ResponseFacts, zero_probability
from jaxglm.inference.quality._suggestions import (
    NOTHING_VARIES,
    FamilySuggestions,
    Suggestion,
    two_outcomes,
)
from jaxglm.words import count, measure

# Whole numbers from here on, with none below, are measurements that were rounded; those from the
# other on may be.
_ROUNDED, _MAY_BE_ROUNDED = 100, 10


def of_numbers(facts: ResponseFacts, notes: Sequence[str]) -> FamilySuggestions:
    """What suits numbers with these facts; the most suitable first."""
    low, high = f"{facts.lowest:.6g}", f"{facts.highest:.6g}"
    kind = "whole numbers" if facts.whole else "numbers"
    seen = f"{count(facts.n)} {kind} from {low} to {high}, mean {measure(facts.mean)}"
    if facts.zeros and facts.lowest == 0:
        seen += f", {100 * facts.zeros:.3g} % of them 0"
    if facts.distinct == 1:
        return FamilySuggestions(seen, (), (*notes, NOTHING_VARIES))
    found: list[Suggestion] = []
    coded = (facts.lowest, facts.highest) == (0, 1)
    if facts.whole and facts.distinct == 2:
        event = f"{facts.highest:g}" if coded else f"{facts.highest:g}, as the response y == {high}"
        found.append(two_outcomes(event, facts.n * facts.highest_share, facts.n))
    if facts.lowest < 0:
        found.append(_gaussian(facts))
    elif facts.highest <= 1 and not facts.whole:
        found += _shares_of_unknown(facts)
    elif facts.whole and facts.lowest < _ROUNDED and not coded:
        found += _counts(facts)
    elif facts.lowest == 0 and not coded:
        found += _with_zeros(facts)
    elif not coded:
        found += _positive(facts)
    return FamilySuggestions(seen, tuple(found), (*notes, *_what_else(facts)))


def _gaussian(facts: ResponseFacts) -> Suggestion:
    cautions = []
    if abs(facts.skewness) > 2:
        cautions.append(
            f"The response is skewed (skewness {facts.skewness:.2g}): look at the residuals for "
            "outliers."
        )
    return Suggestion(
        "gaussian",
        "identity",
        "Values below zero, which no other family can have; coefficients are differences of means.",
        tuple(cautions),
    )


def _shares_of_unknown(facts: ResponseFacts) -> Iterator[Suggestion]:
    ends = facts.zeros + facts.ones
    yield Suggestion(
        "quasibinomial",
        "logit",
        "Shares between 0 and 1 without the number of trials behind them: a logistic curve with a "
        "dispersion that is estimated (Papke and Wooldridge 1996).",
        ("If a share is so many of so many, give trials= and use family='binomial'.",),
    )
    if not ends:
        yield Suggestion(
            "quasi(variance='mu^2(1-mu)^2')",
            "logit",
            "The same curve for shares that vary little near 0 and 1 (Wedderburn 1974); none of "
            "these is 0 or 1, which it could not have.",
        )


def _counts(facts: ResponseFacts) -> Iterator[Suggestion]:
    more = facts.n > 2 and beyond(facts.dispersion, facts.n - 1)
    ratio = f"variance {measure(facts.variance)}, mean {measure(facts.mean)}"
    alpha = max(facts.variance - facts.mean, 0.0) / facts.mean**2
    expected = float(zero_probability(np.array(facts.mean), alpha))
    zeros: tuple[str, ...] = ()
    if more and facts.zeros > 1.2 * expected and facts.n * (facts.zeros - expected) > 5:
        zeros = (
            f"{facts.zeros:.3g} of the counts are 0, and {expected:.3g} would be expected; "
            "zero_inflation() of the fit says whether predictors account for them.",
        )
    fewer: tuple[str, ...] = ()
    if facts.n > 30 and facts.dispersion < 0.8 * (1 - 2 * np.sqrt(2 / facts.n)):
        fewer = (
            "They vary less than Poisson counts; family='quasipoisson' has standard errors for "
            "that.",
        )
    poisson = Suggestion(
        "poisson",
        "log",
        f"Counts; coefficients are log rate ratios ({ratio})."
        if not more
        else "Counts, if predictors account for what they vary too much; overdispersion() of the "
        "fit tells.",
        fewer,
    )
    negative = Suggestion(
        "negative_binomial",
        "log",
        f"Counts that vary more than Poisson counts of one mean ({ratio}); the excess is "
        "estimated, and there is a likelihood."
        if more
        else "Counts, if they vary more than a Poisson model of them allows.",
        zeros,
    )
    quasi = Suggestion(
        "quasipoisson",
        "log",
        "The coefficients of the Poisson model; the variance is proportional to the mean, and by "
        "how much is estimated.",
    )
    yield from (negative, quasi, poisson) if more else (poisson, negative, quasi)


def _with_zeros(facts: ResponseFacts) -> Iterator[Suggestion]:
    yield Suggestion(
        "tweedie(power=1.5)",
        "log",
        "Amounts with exact zeros, sums of a random number of positive parts (claims, rainfall, "
        "spending); coefficients are log ratios of means.",
        ("The power, between 1 and 2, is given and not estimated: compare aic of some.",),
    )
    yield Suggestion(
        "quasipoisson",
        "log",
        "The same mean with a variance proportional to it; it needs no power.",
        ()
        if facts.zeros > 0.01
        else ("The zeros are few: if they mean 'below what can be measured', they are no zeros.",),
    )


def _positive(facts: ResponseFacts) -> Iterator[Suggestion]:
    gamma = Suggestion(
        "gamma",
        "log",
        "Positive, with a spread that grows with the mean; coefficients are log ratios of means.",
    )
    inverse = Suggestion(
        "inverse_gaussian",
        "log",
        "Positive with a longer tail: the variance grows with the cube of the mean.",
    )
    gaussian = Suggestion(
        "gaussian",
        "identity",
        "Nearly symmetric and far from zero for its spread: least squares; coefficients are "
        "differences of means."
        if facts.variation < 0.25
        else "Least squares, if the spread does not grow with the mean.",
    )
    # A gamma variable has a skewness of twice its coefficient of variation, an inverse Gaussian one
    # of three times.
    if facts.variation < 0.25 and abs(facts.skewness) < 1:
        yield from (gaussian, gamma)
    elif facts.skewness > 2.5 * facts.variation and facts.n > 30:
        yield from (inverse, gamma, gaussian)
    else:
        yield from (gamma, inverse, gaussian)


def _what_else(facts: ResponseFacts) -> Iterator[str]:
    """What numbers may mean that a family cannot know."""
    if facts.whole and 2 < facts.distinct < 8 and facts.lowest >= 0 and 2 < facts.highest <= 10:
        yield (
            "Few whole numbers: if they are grades of a scale or codes of kinds, and no counts, an "
            "ordinal or multinomial model is meant, which is no GLM."
        )
    if facts.lowest >= 0 and 95 <= facts.highest <= 100:
        yield (
            "If these are percentages, divide by 100 and ask again: shares have families of their "
            "own, which keep them between 0 and 1."
        )
    if facts.whole and _MAY_BE_ROUNDED <= facts.lowest < _ROUNDED:
        yield (
            "None of these is near zero: if they are no counts but measured in whole units (ages, "
            "minutes), take family='gamma' or 'gaussian'."
        )
    if facts.whole and facts.lowest >= _ROUNDED:
        yield (
            "Whole numbers with none near zero look like measurements that were rounded; for "
            "counts take family='negative_binomial' or 'quasipoisson', with exposure= for how much "
            "was observed."
        )


def beyond(ratio: float, df: float) -> bool:
    """Whether a variance ratio is above 1 by more than chance and by more than a little."""
    return bool(ratio > 1.2 and ratio > 1 + 2 * np.sqrt(2 / df))

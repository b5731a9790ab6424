"""Owns the meaning of a coefficient on each link: what its exponential is, or why it is nothing.

No rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm.words import FloatArray

# What add_constant, formulas here and formulas in R call the constant column.
_INTERCEPTS = frozenset({"Intercept", "(Intercept)", "const"})
_COUNTS = frozenset({"poisson", "quasipoisson", "negative_binomial"})

# Link -> what a coefficient is, for the links where its exponential has no standard meaning.
_MEANINGS = {
    "identity": "a difference of the mean itself, in units of the response: read it as it is",
    "probit": "a shift of a latent normal score: no log odds ratio, and not comparable with a "
    "logit coefficient, which is some 1.6 to 1.8 times as large",
    "cauchit": "a shift of a latent Cauchy score: no log odds ratio, and not comparable with a "
    "logit coefficient",
    "loglog": "a shift of -log(-log(mean)); model the opposite event with the cloglog link to "
    "get hazard ratios",
    "inverse": "a change of 1/mean, so a positive one lowers the mean",
    "inverse_squared": "a change of 1/mean^2, so a positive one lowers the mean",
    "sqrt": "a change of the square root of the mean",
    "power": "a change of a power of the mean",
}


def ratio_label(family: Any) -> str | None:
    """What exp(coefficient) is for this family and link; None where it is nothing standard.

    Examples
    --------
    >>> from jaxglm.families import family
    >>> ratio_label(family("binomial")), ratio_label(family("poisson"))
    ('odds ratio', 'rate ratio')
    >>> ratio_label(family("binomial", "probit"))
    """
    link = family.link.name
    probability = tuple(family.mean_domain) == (0.0, 1.0)
    if link == "logit":
        return "odds ratio" if probability else None
    if link == "cloglog":
        return "hazard ratio" if probability else None
    if link != "log":
        return None
    if probability:
        return "risk ratio"
    return "rate ratio" if family.name in _COUNTS else "ratio of means"


def is_intercept(name: str) -> bool:
    """Whether a column of this name is the constant."""
    return name in _INTERCEPTS


def meaning(family: Any) -> str:
    """What one coefficient of this link is, as the rest of a sentence."""
    return _MEANINGS.get(family.link.name, f"a change on the scale of the {family.link.name} link")


def refusal(family: Any) -> str:
    """The message for exponentiating where that makes no sense."""
    return (
        f"exp(coefficient) has no standard meaning with the {family.link.name} link. "
        f"A coefficient there is {meaning(family)}. To report an effect, compare the predicted "
        "means at two values of the predictor: predict(data), or get_prediction(data) with "
        "intervals."
    )


def exponentiated(
    names: Sequence[str],
    label: str,
    *,
    coef: FloatArray,
    low: FloatArray,
    high: FloatArray,
    p_value: FloatArray,
) -> pd.DataFrame:
    """The table of `Results.effects`: exp of the coefficients and of their interval ends.

    Intercept rows are left out: their exponential is the baseline odds or rate, not a ratio. A
    coefficient of -inf or inf shows 0 or inf, and no interval.
    """
    with np.errstate(over="ignore"):
        table = pd.DataFrame(
            {
                label: np.exp(coef),
                "conf_low": np.exp(low),
                "conf_high": np.exp(high),
                "p_value": p_value,
            },
            index=pd.Index(list(names), name="term"),
        )
    return table.loc[[not is_intercept(name) for name in names]]

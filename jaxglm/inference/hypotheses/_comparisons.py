"""Owns the table of compared things: estimates, tests and intervals, or ratios."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm._status import (
    ConvergenceWarning,
    DataWarning,
    JaxglmWarning,
    RankWarning,
    SeparationWarning,
)
from jaxglm.inference.hypotheses._combinations import (
    HELD,
    INFINITE,
    NO_DISPERSION,
    NO_FIT,
    OPEN,
)
from jaxglm.words import FloatArray, listed, warn

_CATEGORY: dict[str, type[JaxglmWarning]] = {
    INFINITE: SeparationWarning,
    OPEN: SeparationWarning,
    NO_DISPERSION: DataWarning,
    HELD: DataWarning,
    NO_FIT: ConvergenceWarning,
}


def no_tests(labels: Sequence[str], reasons: Sequence[str]) -> dict[str, str]:
    """A sentence for each reason why there is no test, with what it holds for."""
    told = {}
    for reason in dict.fromkeys(filter(None, reasons)):
        which = [label for label, own in zip(labels, reasons, strict=True) if own == reason]
        told[reason] = f"No test of {listed(which, 3)}: {reason}."
    return told


def warn_no_tests(labels: Sequence[str], reasons: Sequence[str]) -> None:
    """Say what in a table has no test, and why; a table has no place for it."""
    for reason, sentence in no_tests(labels, reasons).items():
        warn(sentence, _CATEGORY.get(reason, RankWarning))


def comparison_table(
    head: str,
    labels: Sequence[str],
    *,
    estimate: FloatArray,
    se: FloatArray,
    tests: tuple[FloatArray, FloatArray],
    reach: float,
    ratio: str | None,
) -> pd.DataFrame:
    """A row for each estimate on the link scale; with `ratio`, their exponentials under that name.

    The standard error of a ratio is the delta method's, and its interval that of the link scale.
    """
    low, high = estimate - reach * se, estimate + reach * se
    if ratio is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
            se = estimate * se
    return pd.DataFrame(
        {
            head: list(labels),
            ratio or "estimate": estimate,
            "std_error": se,
            "statistic": tests[0],
            "p_value": tests[1],
            "conf_low": low,
            "conf_high": high,
        }
    )

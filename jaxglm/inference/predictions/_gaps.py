"""Owns why rows have no prediction, no standard error or no interval, in words."""

from collections.abc import Iterator

import numpy as np

from jaxglm import io
from jaxglm._status import DataWarning, JaxglmWarning, SeparationWarning
from jaxglm.inference.hypotheses._combinations import NEGATIVE, NO_DISPERSION, NO_FIT
from jaxglm.words import FloatArray


def no_prediction(eta: FloatArray, missing: np.ndarray | None) -> Iterator[str]:
    """A sentence for each reason why linear predictors [n] are nan.

    `missing` are rows of new data, [n] bool, that miss what a prediction is made of.
    """
    absent = np.zeros(eta.size, bool) if missing is None else missing
    for rows, why in (
        (absent, "a predictor or the offset is missing there"),
        (np.isnan(eta) & ~absent, "the rows of the fit do not determine it"),
    ):
        if rows.any():
            yield f"{_named(rows)}: no prediction, since {why}."


def no_error(
    eta: FloatArray, variance: FloatArray, dispersion: float, without_errors: str
) -> Iterator[tuple[str, type[JaxglmWarning]]]:
    """A sentence for each reason why predictions have no standard error, with what warns of it.

    `variance` [n] is that of the linear predictors; `without_errors` says why no coefficient has
    an error, or nothing.
    """
    gone, told = np.isinf(eta), np.isfinite(eta)
    if gone.any():
        yield (
            f"{_named(gone)}: no standard error and no interval, since the linear predictor runs "
            "to infinity (separation); the mean is its limit.",
            SeparationWarning,
        )
    unknown = without_errors or (NO_DISPERSION if np.isnan(dispersion) else NO_FIT)
    for rows, why in (
        (told & ~np.isfinite(variance), unknown),
        (told & (variance < 0), NEGATIVE),
    ):
        if rows.any():
            yield f"{_named(rows)}: no standard error and no interval, since {why}.", DataWarning


def without_response(weight: FloatArray) -> str:
    """What is said of rows of no weight, which have no new response; empty where there are none."""
    none = ~(weight > 0)
    if not none.any():
        return ""
    return (
        f"{_named(none)}: no interval for a new response, since its trials or weight are 0 or "
        "missing."
    )


def _named(rows: np.ndarray) -> str:
    text = io.rows_text(rows)
    return text[0].upper() + text[1:]

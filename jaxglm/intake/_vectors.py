"""Owns the checks of vectors beside the columns, and of what stands in their place: an offset.

What is handed on is a copy, never the user's own memory: a result keeps it.
"""

from collections.abc import Mapping

import numpy as np

from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.rows import UsedRows
from jaxglm.search import largest_size


def log_exposure(exposure: np.ndarray, rows: UsedRows) -> np.ndarray:
    """The offset that an exposure stands for under a log link; one not positive is refused."""
    rows.refuse(
        exposure <= 0, lambda found: f"exposure must be positive; {found.holding(exposure)}."
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(exposure)


def total_offset(
    formula_offset: np.ndarray | None,
    vectors: Mapping[str, np.ndarray | None],
    family: Family,
    rows: UsedRows,
) -> np.ndarray | None:
    """The sum of what a formula, offset= and exposure= add to the linear predictor."""
    total = formula_offset
    if vectors.get("offset") is not None:
        given = np.array(vectors["offset"], float)
        total = given if total is None else total + given
    exposure = vectors.get("exposure")
    if exposure is not None:
        if family.link.name != "log":
            raise DataError(
                f"exposure= enters as log(exposure) under a log link; the link here is "
                f"{family.link.name}. Give the offset on the scale of that link with offset=."
            )
        shift = log_exposure(exposure, rows)
        total = shift if total is None else total + shift
    return total


def nonnegative(values: np.ndarray, name: str, rows: UsedRows) -> np.ndarray:
    """A copy of a vector in which negative numbers are refused."""
    values = np.array(values, float)
    rows.refuse(values < 0, lambda found: f"{name} must not be negative; {found.holding(values)}.")
    return values


# Rounding of the response by more than this share of its spread would show in the coefficients.
_MOST_ROUNDING = 1e-3


def check_representable(
    values: np.ndarray | None, what: str, dtype: np.dtype, rows: UsedRows
) -> None:
    """Refuse numbers that the arithmetic of the fit would turn into 0, infinity or each other."""
    if values is None or dtype == np.float64:
        return
    remedy = "rescale or centre, or fit with dtype='float64'."
    with np.errstate(over="ignore"):
        narrow = values.astype(dtype)
    rows.refuse(
        ~np.isfinite(narrow) | ((narrow == 0) & (values != 0)),
        lambda found: f"{dtype.name} cannot hold {what}: {found.holding(values)}; {remedy}",
    )
    rounded = np.abs(narrow - values)
    rows.refuse(
        _blurred(values, rounded, rows.codes),
        lambda found: (
            f"{dtype.name} cannot tell the values of {what} apart: it rounds them by up to "
            f"{rounded[found.used].max():.2g}, and their standard deviation is "
            f"{values[found.used].std():.2g}; {remedy}"
        ),
    )


def check_size(values: np.ndarray, what: str, dtype: np.dtype, rows: UsedRows) -> None:
    """Refuse fits in which the largest number has no room for its square in the arithmetic."""
    sizes, limit = np.abs(values), largest_size(dtype)
    low = (sizes > 0) & (sizes < 1 / limit)
    if low.any():
        # Numbers that are small beside others of their fit do no harm.
        codes = np.zeros(sizes.size, int) if rows.codes is None else rows.codes
        largest = np.zeros(codes.max() + 2)  # the last one stands for code -1
        np.maximum.at(largest, codes, sizes)
        low &= (largest < 1 / limit)[codes]
    rows.refuse(
        (sizes > limit) | low,
        lambda found: (
            f"{what}: values so large or so small that their squares overflow or vanish in "
            f"{dtype.name}: {found.holding(values)}; rescale to a size nearer to 1."
        ),
    )


def _blurred(values: np.ndarray, rounded: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """Rows of fits whose values are rounded by too much of their spread."""
    if codes is None:
        varies = np.ptp(values) > 0
        return np.full(values.size, varies and rounded.max() > _MOST_ROUNDING * values.std())
    counts = np.maximum(np.bincount(codes), 1)
    low, high, most = np.full(counts.size, np.inf), np.full(counts.size, -np.inf), counts * 0.0
    for ufunc, into, what in (
        (np.minimum, low, values),
        (np.maximum, high, values),
        (np.maximum, most, rounded),
    ):
        ufunc.at(into, codes, what)
    with np.errstate(all="ignore"):
        from_mean = values - (np.bincount(codes, values) / counts)[codes]
        spread = np.sqrt(np.bincount(codes, from_mean**2) / counts)
        return ((high > low) & (most > _MOST_ROUNDING * spread))[codes]

"""Owns the reading of a response: what a family can have of it, and what it means beside trials."""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.intake._vectors import check_representable, check_size, nonnegative
from jaxglm.rows import UsedRows


@dataclasses.dataclass(frozen=True)
class NamedResponse:
    """The response as given: values or successes, trials where they came with it, its name."""

    values: np.ndarray
    trials: np.ndarray | None
    name: str
    event: str | None

    @classmethod
    def read(cls, found: io.Response, name: str) -> "NamedResponse":
        """What a door found."""
        event = None if found.levels is None else str(found.levels[1])
        return cls(found.y, found.trials, name, event)


class Checked(NamedTuple):
    """A response that the family can have: values (proportions where there are trials), notes."""

    y: np.ndarray
    trials: np.ndarray | None
    notes: tuple[str, ...]


def check_response(
    response: NamedResponse,
    trials: np.ndarray | None,
    family: Family,
    rows: UsedRows,
    dtype: np.dtype,
) -> Checked:
    """The response of some rows, as the family can have it; what it cannot have is refused."""
    if response.event is not None and family.mean_domain != (0.0, 1.0):
        raise DataError(
            f"The response {response.name!r} holds two labels (one of them {response.event!r}), "
            f"which the {family.name} family cannot model; use family='binomial', or recode it to "
            "numbers."
        )
    notes: list[str] = []
    y, trials = _response(response, trials, family, rows, notes)
    _check_support(y, response, family, rows)
    if family.dispersion_fixed and family.has_likelihood and _fractional(y, trials, rows):
        notes.append(
            f"The response {response.name!r} has fractional values: the coefficients are "
            "quasi-likelihood estimates, and the log-likelihood, AIC and BIC are not those of a "
            f"{family.name} distribution."
        )
    check_size(y, f"the response {response.name!r}", dtype, rows)
    check_representable(y, f"the response {response.name!r}", dtype, rows)
    return Checked(y, trials, tuple(notes))


def _response(
    response: NamedResponse,
    trials: np.ndarray | None,
    family: Family,
    rows: UsedRows,
    notes: list[str],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Response values (proportions where there are trials) and trials."""
    y = np.array(response.values, float)  # a copy: what is read may be the user's own memory
    binomial = family.mean_domain == (0.0, 1.0)
    if response.trials is None and trials is None:
        return y, None
    if not binomial:
        raise DataError(
            "Successes and failures (or trials=) are a response of the binomial families; "
            f"the family here is {family.name}."
        )
    if response.trials is not None:
        if trials is not None:
            raise DataError(
                "The response gives successes and failures, which contain the trials already; "
                "leave out trials=."
            )
        counts = nonnegative(response.trials, "trials", rows)
        return _proportion(y, counts, response.name, rows), counts
    assert trials is not None
    counts = nonnegative(trials, "trials", rows)
    fractions, beyond = y != np.floor(y), (y < 0) | (y > 1)
    shares = _are_shares(fractions, beyond, rows)
    rows.refuse(
        np.where(shares, beyond, fractions),
        lambda found: (
            f"With trials=, {response.name!r} must be the number of successes (whole numbers) "
            f"or the share of successes (0 to 1); {found.holding(y)} are neither."
        ),
    )
    if shares.all():
        return y, counts
    sound = rows.sound(y.size)
    whole = ~shares[sound]
    if (y[sound][whole] <= 1).all() and (counts[sound][whole] > 1).any():
        notes.append(
            f"{response.name!r} holds only 0 and 1 and trials= holds more than 1: the response was "
            "read as numbers of successes, not as shares."
        )
    proportion = _proportion(np.where(shares, 0.0, y), counts, response.name, rows)
    return np.where(shares, y, proportion), counts


def _are_shares(fractions: np.ndarray, beyond: np.ndarray, rows: UsedRows) -> np.ndarray:
    """Which rows beside trials= are of a fit whose response is shares, not numbers of successes.

    Fractions make them shares; where a fit has both, what more of its rows say.
    """
    codes = np.zeros(fractions.size, int) if rows.codes is None else rows.codes
    # Rows of no fit (code -1) are counted last, by themselves.
    told, against = (
        np.bincount(codes[where], minlength=codes.max() + 2)
        for where in (fractions & (codes >= 0), beyond & ~fractions & (codes >= 0))
    )
    return ((told > 0) & (against <= told))[codes]


def _proportion(successes: np.ndarray, trials: np.ndarray, name: str, rows: UsedRows) -> np.ndarray:
    rows.refuse(
        (successes > trials) | (successes < 0),
        lambda found: (
            f"More successes than trials, or a negative count, in {name!r}: "
            f"{found.holding(successes)}; the trials there: {found.holding(trials)}."
        ),
    )
    return np.divide(successes, trials, out=np.zeros_like(successes), where=trials > 0)


def _check_support(y: np.ndarray, response: NamedResponse, family: Family, rows: UsedRows) -> None:
    """Rows of weight 0 must be valid as well: they are data, and a typing error there is one."""
    hint = ""
    if family.mean_domain == (0.0, 1.0):
        hint = (
            " For labels other than 0 and 1 recode them (or pass them as strings); for counts "
            "of successes give trials=, or successes and failures."
        )
    rows.refuse(
        ~np.asarray(family.valid_response(y)),
        lambda found: (
            f"The response {response.name!r} is outside the support of the {family.name} family: "
            f"{family.response_rule}, but {found.holding(y)}.{hint}"
        ),
    )


def _fractional(y: np.ndarray, trials: np.ndarray | None, rows: UsedRows) -> bool:
    sound = rows.sound(y.size)
    y, trials = y[sound], None if trials is None else trials[sound]
    counts = y if trials is None else y * trials
    near = np.abs(counts - np.round(counts)) <= 1e-6 * np.maximum(1, np.abs(counts))
    return not bool(near.all())

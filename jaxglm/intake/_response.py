"""Owns the reading of a response: what a family can have of it, and what it means beside trials."""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.intake._trials import proportion_of, read_beside_trials
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
        """What a door found, in the rows used; labels must be two."""
        found = found.settled(name)
        event = None if found.levels is None else str(found.levels[1])
        return cls(found.y, found.trials, name, event)


class Checked(NamedTuple):
    """A response that the family can have: values (proportions where there are trials), notes.

    `cautions` are those of the notes that deserve a warning.
    """

    y: np.ndarray
    trials: np.ndarray | None
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


def check_response(
    response: NamedResponse,
    trials: np.ndarray | None,
    family: Family,
    rows: UsedRows,
    dtype: np.dtype,
    proportions: bool | None = None,
) -> Checked:
    """The response of some rows, as the family can have it; what it cannot have is refused.

    `proportions` tells what it is beside `trials`; None leaves that to its values.
    """
    if response.event is not None and family.mean_domain != (0.0, 1.0):
        raise DataError(
            f"The response {response.name!r} holds two labels (one of them {response.event!r}), "
            f"which the {family.name} family cannot model; use family='binomial', or recode it to "
            "numbers."
        )
    y, trials, cautions = _response(response, trials, family, rows, proportions)
    notes = list(cautions)
    _check_support(y, response, family, rows)
    if family.dispersion_fixed and family.has_likelihood and _fractional(y, trials, rows):
        notes.append(
            f"The response {response.name!r} has fractional values: the coefficients are "
            "quasi-likelihood estimates, and the log-likelihood, AIC and BIC are not those of a "
            f"{family.name} distribution."
        )
    check_size(y, f"the response {response.name!r}", dtype, rows)
    check_representable(y, f"the response {response.name!r}", dtype, rows)
    return Checked(y, trials, tuple(notes), cautions)


def _response(
    response: NamedResponse,
    trials: np.ndarray | None,
    family: Family,
    rows: UsedRows,
    proportions: bool | None,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Response values (proportions where there are trials), trials, and a guess that was made."""
    y = np.array(response.values, float)  # a copy: what is read may be the user's own memory
    binomial = family.mean_domain == (0.0, 1.0)
    if response.trials is None and trials is None:
        return y, None, ()
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
        return proportion_of(y, counts, response.name, rows), counts, ()
    assert trials is not None
    counts = nonnegative(trials, "trials", rows)
    if response.event is not None and (counts > 1).any():
        raise DataError(
            f"The response {response.name!r} holds labels, which tell how one trial ended, and "
            "trials= holds more than 1: give the number of successes of each row, or their "
            "proportion."
        )
    read = read_beside_trials(y, counts, response.name, rows, proportions)
    return read.proportion, counts, read.cautions


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
    if (counts == np.round(counts)).all():
        return False
    near = np.abs(counts - np.round(counts)) <= 1e-6 * np.maximum(1, np.abs(counts))
    return not bool(near.all())

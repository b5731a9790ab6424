"""Owns what a user asks for: a penalty in words, before there are columns to apply it to."""

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.algebra import Bend
from jaxglm.penalties._base import Penalty
from jaxglm.penalties._quadratic import Quadratic
from jaxglm.penalties._thresholded import Thresholded
from jaxglm.words import is_from, listed, near_text


@dataclasses.dataclass(frozen=True)
class PenalisedColumns:
    """The columns of a model, as a penalty sees them; all in public order.

    Attributes
    ----------
    names : sequence of str
    terms : sequence of (str, slice)
        Which columns belong to which term of the formula; a column of a matrix is its own.
    constant : int or None
        The intercept, which is free.
    weight : float
        Sum of the weights of the rows: frequency times prior weights times trials.
    spreads : callable
        Makes the weighted standard deviations [p] (divisor: the sum of the weights), when asked.
    """

    names: Sequence[str]
    terms: Sequence[tuple[str, slice]]
    constant: int | None
    weight: float
    spreads: Callable[[], np.ndarray]

    def factors(self, given: Any) -> np.ndarray:
        """Multiples of the penalty for each column, [p], 0 for the intercept.

        Raises
        ------
        DataError
            For a name that there is not, a wrong number of them, or a negative one.
        """
        factors = np.ones(len(self.names))
        if self.constant is not None:
            factors[self.constant] = 0.0
        if given is None:
            return factors
        if isinstance(given, Mapping):
            for name, factor in given.items():
                factors[self.place(name)] = _factor(factor, f"penalty_factor[{name!r}]")
            if self.constant is not None and factors[self.constant] != 0:
                raise DataError("penalty_factor: the intercept is free, whatever is said of it.")
            return factors
        try:
            values = np.asarray(given, float)
        except (TypeError, ValueError):
            raise DataError(
                "penalty_factor must be a number for each column, or a dict of them by the name "
                "of a column or term"
            ) from None
        free = len(self.names) - (self.constant is not None)
        if values.shape == (len(self.names),):
            factors = values.copy()
        elif values.shape == (free,) and self.constant is not None:
            factors[np.arange(len(self.names)) != self.constant] = values
        else:
            raise DataError(
                f"penalty_factor must hold a number for each of {len(self.names)} columns "
                f"({listed(self.names, 5)}), with or without the intercept; its shape is "
                f"{values.shape}."
            )
        for name, factor in zip(self.names, factors, strict=True):
            _factor(factor, f"penalty_factor of {name!r}")
        if self.constant is not None:
            factors[self.constant] = 0.0
        return factors

    def place(self, name: Any) -> Any:
        """Where the columns of a name are: of a column, or of all that a term makes."""
        names = list(self.names)
        if name in names:
            return names.index(name)
        terms = dict(self.terms)
        if name in terms:
            return terms[name]
        known = dict.fromkeys([*names, *terms])
        raise DataError(
            f"there is no column or term {name!r} to penalise: {near_text(str(name), known)}"
        )


class AskedPenalty(abc.ABC):
    """What is added to half of the mean deviance; the penalties of a sum are added up.

    A fit with one minimises ``sum(w * deviance_i) / (2 * sum(w)) + penalty(b)``, where the weights
    `w` are those of the fit: frequency times prior weights times trials. The intercept is free.
    """

    @abc.abstractmethod
    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        """Second derivative of its quadratic part, [p, p] or [p] of a diagonal, or None."""

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        """Multiples [p] of the absolute values, or None."""
        return None

    def __add__(self, other: Any) -> "AskedPenalty":
        if not isinstance(other, AskedPenalty):
            return NotImplemented
        return Sum((*parts_of(self), *parts_of(other)))


@dataclasses.dataclass(frozen=True)
class Sum(AskedPenalty):
    """Several penalties, added up."""

    parts: tuple[AskedPenalty, ...]

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        found = [part.quadratic(columns) for part in self.parts]
        known = [part for part in found if part is not None]
        if any(part.ndim == 2 for part in known):
            known = [part if part.ndim == 2 else np.diag(part) for part in known]
        return np.sum(known, axis=0) if known else None

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        found = [part.thresholds(columns) for part in self.parts]
        known = [part for part in found if part is not None]
        return np.sum(known, axis=0) if known else None

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


def parts_of(penalty: AskedPenalty) -> tuple[AskedPenalty, ...]:
    """The penalties that a penalty is a sum of."""
    return penalty.parts if isinstance(penalty, Sum) else (penalty,)


def penalty_of(asked: AskedPenalty, columns: PenalisedColumns) -> Penalty | None:
    """The penalty of a fit, beside the sum of the losses of its rows; None where it is zero."""
    whole = thresholded_of(asked, columns)
    return whole if np.asarray(whole.bend.threshold).any() else whole.smooth


def thresholded_of(asked: AskedPenalty, columns: PenalisedColumns) -> Thresholded:
    """The same in the form that has room for absolute values, whether there are any or not."""
    quadratic, thresholds = asked.quadratic(columns), asked.thresholds(columns)
    smooth = None
    if quadratic is not None and quadratic.any():
        matrix = np.diag(quadratic) if quadratic.ndim == 1 else quadratic
        smooth = Quadratic(columns.weight * matrix)
    p = len(columns.names)
    known = np.zeros(p) if thresholds is None else columns.weight * thresholds
    return Thresholded(smooth, Bend(known, np.full(p, -np.inf), np.full(p, np.inf)))


def strength(of: str, value: Any) -> float:
    """A multiple of a penalty, checked.

    Raises
    ------
    ValueError
    """
    if not is_from(value, 0):
        raise ValueError(f"{of} must be a number of 0 or more, not {value!r}")
    return float(value)


def _factor(value: Any, of: str) -> float:
    if not is_from(value, 0):
        raise DataError(f"{of} must be a number of 0 or more (0: not penalised), not {value!r}")
    return float(value)

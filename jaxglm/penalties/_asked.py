"""Owns what a user asks for: a penalty in words, before there are columns to apply it to."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.algebra import Bend, Norms
from jaxglm.penalties._base import Penalty
from jaxglm.penalties._quadratic import QuadraticForm
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
    spreads : callable
        Makes the weighted standard deviations [p] (divisor: the sum of the weights), when asked.
    shrunk : tuple of str
        The terms that have a penalty of their own.
    is_random : callable
        Whether a term is a random effect.
    n_in_order, in_order : callable
        How many values of a term stand in order (0 for a term of none), and what its columns are
        to these, [m, columns].
    """

    names: Sequence[str]
    terms: Sequence[tuple[str, slice]]
    constant: int | None
    spreads: Callable[[], np.ndarray]
    shrunk: tuple[str, ...] = ()
    is_random: Callable[[str], bool] = lambda label: False
    n_in_order: Callable[[str], int] = lambda label: 0
    in_order: Callable[[str], np.ndarray] | None = None

    def factors(self, given: Any) -> np.ndarray:
        """Multiples of the penalty for each column, [p], 0 for the intercept.

        Also for terms with a penalty of their own, unless they are named.

        Raises
        ------
        DataError
            For a name that there is not, a wrong number of them, or a negative one.
        """
        factors = np.ones(len(self.names))
        if self.constant is not None:
            factors[self.constant] = 0.0
        for label, where in self.terms:
            if label in self.shrunk:  # held by a penalty of its own
                factors[where] = 0.0
        if given is None:
            return factors
        if is_labelled(given):
            given = dict(zip(given.index, given, strict=True))
        if isinstance(given, Mapping):
            for name, factor in self.terms_first(given):
                factors[self.place(name)] = checked_factor(factor, f"penalty_factor[{name!r}]")
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
            checked_factor(factor, f"penalty_factor of {name!r}")
        if self.constant is not None:
            factors[self.constant] = 0.0
        return factors

    def units(self, standardize: bool) -> np.ndarray:
        """What a penalty multiplies coefficients by, [p]; of a constant, without a spread, 1."""
        if not standardize:
            return np.ones(len(self.names))
        spreads = self.spreads()
        return np.where(spreads > 0, spreads, 1.0)

    def terms_first(self, given: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
        """What is given by name, so that what is said of a column counts before its term."""
        return sorted(given.items(), key=lambda pair: pair[0] in self.names)

    def place(self, name: Any, what: str = "penalise") -> Any:
        """Where the columns of a name are: of a column, or of all that a term makes."""
        names = list(self.names)
        if name in names:
            return names.index(name)
        terms = dict(self.terms)
        if name in terms:
            return terms[name]
        known = dict.fromkeys([*names, *terms])
        raise DataError(
            f"there is no column or term {name!r} to {what}: {near_text(str(name), known)}"
        )


class AskedPenalty:
    """What is added to half of the mean deviance; the penalties of a sum are added up.

    A fit with one minimises ``sum(w * deviance_i) / (2 * sum(w)) + penalty(b)``, where the weights
    `w` are those of the fit: frequency times prior weights times trials. The intercept is free.
    """

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        """Second derivative of its quadratic part, [p, p] or [p] of a diagonal, or None."""
        return None

    def center(self, columns: PenalisedColumns) -> np.ndarray | None:
        """What the quadratic part pulls towards, [p], or None for zero."""
        return None

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        """Multiples [p] of the absolute values, or None."""
        return None

    def norms(self, columns: PenalisedColumns) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        """Groups of two columns or more: where they are, and what multiplies each in the norm."""
        return ()

    def bounds(self, columns: PenalisedColumns) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest values of the coefficients, [p] each."""
        p = len(columns.names)
        return np.full(p, -np.inf), np.full(p, np.inf)

    def times(self, strength: float) -> "AskedPenalty":
        """A multiple of it, within the same bounds."""
        return Multiple(strength, self)

    def __add__(self, other: Any) -> "AskedPenalty":
        if not isinstance(other, AskedPenalty):
            return NotImplemented
        return Sum((*parts_of(self), *parts_of(other)))

    def __radd__(self, other: Any) -> "AskedPenalty":
        # What `sum` begins with.
        return self if isinstance(other, int) and other == 0 else NotImplemented


@dataclasses.dataclass(frozen=True)
class Sum(AskedPenalty):
    """Several penalties, added up."""

    parts: tuple[AskedPenalty, ...]

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        return self._quadratic_and_pull(columns)[0]

    def center(self, columns: PenalisedColumns) -> np.ndarray | None:
        matrix, pull = self._quadratic_and_pull(columns)
        if matrix is None or not pull.any():
            return None
        # What the sum pulls towards: where its parts balance.
        if matrix.ndim == 1:
            return np.divide(pull, matrix, out=np.zeros_like(pull), where=matrix != 0)
        return np.linalg.lstsq(matrix, pull)[0]

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        found = [part.thresholds(columns) for part in self.parts]
        known = [part for part in found if part is not None]
        return np.sum(known, axis=0) if known else None

    def norms(self, columns: PenalisedColumns) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        return [group for part in self.parts for group in part.norms(columns)]

    def bounds(self, columns: PenalisedColumns) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = zip(*(part.bounds(columns) for part in self.parts), strict=True)
        return np.max(lower, axis=0), np.min(upper, axis=0)

    def _quadratic_and_pull(self, columns: PenalisedColumns) -> tuple[np.ndarray | None, Any]:
        """The matrix of the sum, and the sum of the matrices times their centers."""
        total, pull = None, np.zeros(len(columns.names))
        for part in self.parts:
            matrix, center = part.quadratic(columns), part.center(columns)
            if matrix is None:
                continue
            if center is not None:
                pull = pull + (matrix * center if matrix.ndim == 1 else matrix @ center)
            if total is not None and total.ndim != matrix.ndim:
                total, matrix = (a if a.ndim == 2 else np.diag(a) for a in (total, matrix))
            total = matrix if total is None else total + matrix
        return total, pull

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


@dataclasses.dataclass(frozen=True)
class Multiple(AskedPenalty):
    """A penalty so many times as strong."""

    strength: float
    part: AskedPenalty

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        matrix = self.part.quadratic(columns)
        return None if matrix is None else self.strength * matrix

    def center(self, columns: PenalisedColumns) -> np.ndarray | None:
        return self.part.center(columns)

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        own = self.part.thresholds(columns)
        return None if own is None else self.strength * own

    def norms(self, columns: PenalisedColumns) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        if self.strength == 0:
            return ()
        return [(places, self.strength * w) for places, w in self.part.norms(columns)]

    def bounds(self, columns: PenalisedColumns) -> tuple[np.ndarray, np.ndarray]:
        return self.part.bounds(columns)

    def __repr__(self) -> str:
        part = f"({self.part!r})" if isinstance(self.part, Sum) else repr(self.part)
        return f"{self.strength:g} * {part}"


def parts_of(penalty: AskedPenalty) -> tuple[AskedPenalty, ...]:
    """The penalties that a penalty is a sum of."""
    return penalty.parts if isinstance(penalty, Sum) else (penalty,)


def penalty_of(asked: AskedPenalty, columns: PenalisedColumns) -> Penalty | None:
    """The penalty of a fit, beside the mean of the losses of its rows; None where it is zero."""
    whole = thresholded_of(asked, columns)
    if whole.chooses or np.isfinite([whole.bend.lower, whole.bend.upper]).any():
        return whole
    return None if whole.smooth is None else dataclasses.replace(whole.smooth, of_mean=True)


def thresholded_of(asked: AskedPenalty, columns: PenalisedColumns) -> Thresholded:
    """The same in the form that has room for absolute values, whether there are any or not.

    Raises
    ------
    DataError
        Where a coefficient is bounded from below by more than from above, or has a part of its own
        beside that in its group.
    """
    quadratic, thresholds = asked.quadratic(columns), asked.thresholds(columns)
    smooth = None
    if quadratic is not None and quadratic.any():
        smooth = QuadraticForm(quadratic, asked.center(columns))
    known = np.zeros(len(columns.names)) if thresholds is None else thresholds
    lower, upper = asked.bounds(columns)
    crossed = np.array(columns.names)[lower > upper]
    if crossed.size:
        raise DataError(
            f"the lower bound of {listed(crossed, 5)} is above its upper bound: no value is between"
        )
    bend = Bend(known, lower, upper)
    groups = asked.norms(columns)
    if groups:
        own = (known != 0) | np.isfinite(lower) | np.isfinite(upper)
        bend = bend._replace(norms=_norms_of(groups, own, columns))
    return Thresholded(smooth, bend, of_mean=True)


def _norms_of(
    groups: Sequence[tuple[np.ndarray, np.ndarray]], own: np.ndarray, columns: PenalisedColumns
) -> Norms:
    """Norms of groups that have no column in common, nor one with a part of its own.

    Raises
    ------
    DataError
    """
    weight, visits = np.zeros(len(columns.names)), own.astype(int)
    for places, multiples in groups:
        weight[places] = multiples
        visits[places] += 1
    twice = np.array(columns.names)[visits > 1]
    if twice.size:
        raise DataError(
            f"{listed(twice, 5)}: a column in a group of a group lasso can have no lasso and no "
            "bound of its own, and stand in no other group; hold it by one of them, as with "
            "penalty_factor={name: 0} in the other"
        )
    return Norms.of([places for places, _ in groups], weight)


def strength(of: str, value: Any) -> float:
    """A multiple of a penalty, checked.

    Raises
    ------
    ValueError
    """
    if not is_from(value, 0):
        raise ValueError(f"{of} must be a number of 0 or more, not {value!r}")
    return float(value)


def is_standardized(of: str, value: Any) -> bool:
    """Whether columns are divided by their spread, checked.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{of}: standardize must be True or False, not {value!r}")
    return bool(value)


def checked_factor(value: Any, of: str) -> float:
    """A multiple of the penalty of one column or group, checked.

    Raises
    ------
    DataError
    """
    if not is_from(value, 0):
        raise DataError(f"{of} must be a number of 0 or more (0: not penalised), not {value!r}")
    return float(value)


def is_labelled(given: Any) -> bool:
    """Whether values come with names of their own, as a Series has them; numbers are positions."""
    index = getattr(given, "index", None)
    if index is None or callable(index) or np.ndim(given) == 0:
        return False
    return any(isinstance(label, str) for label in index)

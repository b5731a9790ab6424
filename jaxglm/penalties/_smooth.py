"""Owns the smoothing penalty of a term, differences of neighbours; its strength may be sought."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from jaxglm._status import DataError
from jaxglm.penalties._asked import AskedPenalty, PenalisedColumns, Sum, parts_of, penalty_of
from jaxglm.penalties._asked import strength as checked_strength
from jaxglm.penalties._base import Penalty
from jaxglm.penalties._quadratic import QuadraticForm, rank_of
from jaxglm.words import is_from, listed, near_text

# A matrix of differences has a row and a column for each of so many values at most.
_MOST_VALUES = 10_000
_SPLINE_ORDER, _LEVEL_ORDER = 2, 1
_ROUNDING = 1e-13


class Smooth(AskedPenalty):
    """lam/2 times the sum of squared differences of neighbours, added to half of the mean deviance.

    Of a curve ``s(x)`` the differences are those of second order of its spline coefficients, so
    that a straight line costs nothing (P-splines: Eilers and Marx 1996, Statistical Science 11).
    Of a factor they are those of the effects of neighbouring levels, in the order of the levels: a
    random walk. Of a random effect ``re(g)`` it is the sum of squared effects.

    Parameters
    ----------
    lam : float or "reml"
        The strength, 0 or more, on the scale of the mean loss; or "reml", to have it estimated by
        restricted maximum likelihood.
    terms : str or list of str, optional
        Terms of the formula. All ``s(...)`` and ``re(...)`` of it unless given.
    order : int, optional
        The order of the differences; 2 for curves and 1 for factors unless given.

    Raises
    ------
    ValueError
        For a strength that is no number of 0 or more and not "reml".

    Notes
    -----
    A formula with ``s(...)`` or ``re(...)`` has the strengths of these estimated without being
    asked to. Strengths that are estimated maximise the restricted likelihood of the working model
    that the last step of the fit solves (Breslow and Clayton 1993, JASA 88; the performance
    iteration of mgcv's `bam`, Wood, Li, Shaddick and Augustin 2017, JASA 112).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"week": list("abcdef") * 2, "sold": [1, 2, 9, 4, 2, 3, 2, 4, 7, 6, 3, 1]}
    >>> walk = jg.glm("sold ~ week", table, "poisson", penalty=jg.Smooth(0.5, "week"))
    >>> walk.predict({"week": list("abcdef")}).round(1).to_list()
    [2.5, 3.5, 5.8, 4.6, 3.1, 2.6]
    """

    def __init__(
        self,
        lam: float | Literal["reml"] = "reml",
        terms: str | Sequence[str] | None = None,
        *,
        order: int | None = None,
    ):
        if isinstance(lam, str) and lam.lower() != "reml":
            raise ValueError(f"Smooth: lam must be a number of 0 or more, or 'reml', not {lam!r}")
        self.lam = None if isinstance(lam, str) else checked_strength("Smooth: lam", lam)
        if order is not None and not (is_from(order, 1, 10) and int(order) == order):
            raise ValueError(f"Smooth: order must be a whole number from 1 to 10, not {order!r}")
        self.terms = (terms,) if isinstance(terms, str) else None if terms is None else tuple(terms)
        if self.terms is not None and not all(isinstance(term, str) for term in self.terms):
            raise ValueError("Smooth: terms must be the names of terms of the formula")
        self.order = None if order is None else int(order)

    def labels(self, columns: PenalisedColumns) -> tuple[str, ...]:
        """The terms that it is of, as the formula names them.

        Raises
        ------
        DataError
            For a term that there is not, or without an order; or where there is none.
        """
        known = dict(columns.terms)
        if self.terms is None:
            if not columns.shrunk:
                raise DataError(
                    "Smooth: the formula has no s(...) and no re(...); name the terms, as in "
                    "jg.Smooth(1.0, 'week')"
                )
            return tuple(columns.shrunk)
        found = []
        for term in self.terms:
            match = next((label for label in known if _plain(label) == _plain(term)), term)
            if match not in known:
                terms = [label for label in known if columns.n_in_order(label)]
                raise DataError(f"there is no term {match!r} to smooth: {near_text(match, terms)}")
            if not columns.n_in_order(match):
                raise DataError(
                    f"Smooth: {match!r} is neither a factor nor a curve, so it has no neighbours; "
                    "write s(x) for a curve along x"
                )
            found.append(match)
        return tuple(found)

    def form(self, label: str, columns: PenalisedColumns) -> np.ndarray:
        """The second derivative at strength 1 of one term, [p, p] or [p] of a diagonal."""
        where = dict(columns.terms)[label]
        p = len(columns.names)
        if columns.is_random(label):
            own = np.zeros(p)
            own[where] = 1.0
            return own
        order = self.order
        if order is None:
            order = _SPLINE_ORDER if label in columns.shrunk else _LEVEL_ORDER
        count = columns.n_in_order(label)
        if not order < count <= _MOST_VALUES:
            raise DataError(
                f"Smooth: {label!r} has {count:,} values in order, and differences of order "
                f"{order} take from {order + 1} to {_MOST_VALUES:,}"
            )
        assert columns.in_order is not None
        steps = np.diff(columns.in_order(label), n=order, axis=0)
        own = steps.T @ steps
        size = np.diagonal(own)
        if np.abs(own - np.diag(size)).max() <= _ROUNDING * size.max():
            # The columns of a curve are made so; what costs nothing costs nothing to the last bit.
            diagonal = np.zeros(p)
            diagonal[where] = np.where(size > _ROUNDING * size.max(), size, 0.0)
            return diagonal
        out = np.zeros((p, p))
        out[where, where] = own
        return out

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        if self.lam is None:
            raise DataError(
                f"{self!r}: a strength is estimated for one fit, by glm(); give a number here"
            )
        forms = [self.lam * self.form(label, columns) for label in self.labels(columns)]
        if any(form.ndim == 2 for form in forms):
            forms = [form if form.ndim == 2 else np.diag(form) for form in forms]
        return np.sum(forms, axis=0)

    def __repr__(self) -> str:
        parts = ["'reml'" if self.lam is None else f"{self.lam:g}"]
        if self.terms is not None:
            own = self.terms if len(self.terms) > 1 else self.terms[0]
            parts.append(repr(list(own) if isinstance(own, tuple) else own))
        if self.order is not None:
            parts.append(f"order={self.order}")
        return f"Smooth({', '.join(parts)})"


@dataclasses.dataclass(frozen=True, eq=False)
class OpenStrengths:
    """Penalties of terms whose strengths are to be estimated; all in public column order.

    Attributes
    ----------
    labels : tuple of str
        The terms, m of them.
    forms : tuple of QuadraticForm
        Their penalties at strength 1, beside the mean loss.
    widths : tuple of int
        How many columns they have.
    fixed : int
        Rank of what is penalised at strengths that are known.
    text : str
        What is penalised, in words.
    total : callable
        Makes the penalty of the fit, from strengths [m].
    """

    labels: tuple[str, ...]
    forms: tuple[QuadraticForm, ...]
    widths: tuple[int, ...]
    fixed: int
    text: str
    total: Callable[[np.ndarray], Penalty | None]


def open_strengths(asked: AskedPenalty | None, columns: PenalisedColumns) -> OpenStrengths | None:
    """The strengths that a fit has to find; None where all are known.

    Raises
    ------
    DataError
        Where a term has two smoothing penalties.
    ValueError
        Beside a penalty that is not smooth.
    """
    parts = () if asked is None else parts_of(asked)
    named = {id(part): part.labels(columns) for part in parts if isinstance(part, Smooth)}
    every = [label for labels in named.values() for label in labels]
    twice = [label for label in dict.fromkeys(every) if every.count(label) > 1]
    if twice:
        raise DataError(f"{listed(twice)} has two smoothing penalties: leave out one")
    own = tuple(label for label in columns.shrunk if label not in every)
    sought = [part for part in parts if isinstance(part, Smooth) and part.lam is None]
    sought += [Smooth("reml", own)] if own else []
    if not sought:
        return None
    pairs = [(label, part) for part in sought for label in part.labels(columns)]
    known = tuple(part for part in parts if part not in sought)
    if known and not isinstance(penalty_of(Sum(known), columns), QuadraticForm | None):
        raise ValueError(
            "a lasso, or bounds, cannot stand beside strengths that are estimated, as those of "
            f"{listed([label for label, _ in pairs], 3)}: give them, as in jg.Smooth(0.1)"
        )

    def total(strengths: np.ndarray) -> Penalty | None:
        given = (
            Smooth(float(lam), label, order=part.order)
            for lam, (label, part) in zip(strengths, pairs, strict=True)
        )
        return penalty_of(Sum((*known, *given)), columns)

    fixed = Sum(known).quadratic(columns) if known else None
    rank = 0 if fixed is None else rank_of(fixed)
    places = dict(columns.terms)
    return OpenStrengths(
        labels=tuple(label for label, _ in pairs),
        forms=tuple(
            QuadraticForm(part.form(label, columns), of_mean=True) for label, part in pairs
        ),
        widths=tuple(places[label].stop - places[label].start for label, _ in pairs),
        fixed=rank,
        text=" + ".join([*map(repr, known), f"{listed([label for label, _ in pairs], 3)} (REML)"]),
        total=total,
    )


def _plain(term: str) -> str:
    """A term as it is compared with others: without spaces, (1 | g) as re(g)."""
    text = term.replace(" ", "")
    return f"re({text[3:-1]})" if text.startswith("(1|") and text.endswith(")") else text

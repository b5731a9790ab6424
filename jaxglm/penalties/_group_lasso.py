"""Owns the group lasso: columns that come in, or stay out, together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.penalties._asked import (
    AskedPenalty,
    PenalisedColumns,
    checked_factor,
    is_labelled,
    is_standardized,
    strength,
)
from jaxglm.words import listed, near_text

_AS_DICT = "or be a dict of names by group, as {'size': ['length', 'width']}"


class GroupLasso(AskedPenalty):
    """lam sum_g factor_g sqrt(p_g) |b_g|_2, added to half of the mean deviance.

    A group g of p_g columns comes in, or stays out, as a whole: the terms of the formula, so that a
    factor is a group of its levels, and a spline one of its columns.

    Parameters
    ----------
    lam : float
        The strength, 0 or more, on the scale of the mean loss.
    groups : array [p] or dict, optional
        A label for each column, with or without the intercept: columns of the same label are a
        group (as grpreg and gglasso have it). A dict has the names of columns or terms by the label
        of their group; the other terms stay groups of their own. Without it a column of a matrix is
        a group by itself.
    standardize : bool
        The norm is that of the coefficients of columns divided by their weighted standard deviation
        (divisor: the sum of the weights). Coefficients are those of the columns as they are in any
        case.
    penalty_factor : array [G] or dict, optional
        Multiples beside sqrt(p_g): one for each group, in the order of their first columns, without
        the intercept; or by the label of the group (a term's is its name), 1 for the others. 0
        leaves a group free.

    Raises
    ------
    ValueError
        For a negative strength.

    Notes
    -----
    Yuan and Lin (2006, Journal of the Royal Statistical Society B 68); for other families Meier,
    van de Geer and Buehlmann (2008, same journal, 70). A group of one column has the lasso. In a
    group that comes in no coefficient is zero; one that stays out is zero to the last bit. Degrees
    of freedom count the coefficients that are not zero, as for the lasso, and not by the formula
    of Yuan and Lin, which holds for orthonormal groups.

    The norm depends on how the columns of a group are written: for a factor on the reference level,
    unless it has a column for each level. grpreg makes the columns of a group orthonormal first;
    here, as in gglasso, they are taken as they are.

    In a sum, a column of a group of two or more can have a `Ridge` or `Quadratic` beside it, but no
    `Lasso` and no `Bounds`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {
    ...     "y": [1, 0, 2, 3, 5, 8, 2, 7, 4],
    ...     "x": [0.0, 1, 2, 3, 4, 5, 2, 5, 4],
    ...     "where": list("abcabcabc"),
    ... }
    >>> fit = jg.glm("y ~ x + where", table, "poisson", penalty=jg.GroupLasso(0.1))
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.4067, 'x': 0.4816, 'where[T.b]': 0.0, 'where[T.c]': 0.0}
    """

    def __init__(
        self,
        lam: float,
        *,
        groups: Any = None,
        standardize: bool = False,
        penalty_factor: Any = None,
    ):
        self.lam = strength("GroupLasso: lam", lam)
        self.standardize = is_standardized("GroupLasso", standardize)
        self.groups, self.penalty_factor = groups, penalty_factor

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        out = np.zeros(len(columns.names))
        for places, multiples in self._penalised(columns):
            if places.size == 1:
                out[places] = multiples
        return out

    def norms(self, columns: PenalisedColumns) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        return [group for group in self._penalised(columns) if group[0].size > 1]

    def _penalised(self, columns: PenalisedColumns) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The columns of each group that is held, and what multiplies each inside the norm."""
        groups = _groups_of(self.groups, columns)
        units = columns.units(self.standardize)
        for places, factor in zip(groups.values(), self._factors(list(groups)), strict=True):
            multiple = self.lam * factor * np.sqrt(places.size)
            if multiple > 0:
                yield places, multiple * units[places]

    def _factors(self, labels: list[Any]) -> np.ndarray:
        """Multiples of the penalty, one for each group."""
        factors, given = np.ones(len(labels)), self.penalty_factor
        if given is None:
            return factors
        if is_labelled(given):
            given = dict(zip(given.index, given, strict=True))
        if isinstance(given, Mapping):
            for label, factor in given.items():
                if label not in labels:
                    raise DataError(
                        f"penalty_factor: there is no group {label!r}: "
                        f"{near_text(str(label), map(str, labels))}"
                    )
                factors[labels.index(label)] = checked_factor(factor, f"penalty_factor[{label!r}]")
            return factors
        if np.shape(given) != factors.shape:
            raise DataError(
                f"penalty_factor must hold a number for each of {len(labels)} groups "
                f"({listed(labels, 5)}), or be a dict of them by group; its shape is "
                f"{np.shape(given)}."
            )
        return np.array(
            [
                checked_factor(factor, f"penalty_factor of {label!r}")
                for label, factor in zip(labels, given, strict=True)
            ]
        )

    def __repr__(self) -> str:
        parts = [f"{self.lam:g}"]
        if self.groups is not None:
            parts.append("groups=...")
        if self.standardize:
            parts.append("standardize=True")
        if self.penalty_factor is not None:
            parts.append("penalty_factor=...")
        return f"GroupLasso({', '.join(parts)})"


def _groups_of(given: Any, columns: PenalisedColumns) -> dict[Any, np.ndarray]:
    """The columns of each group by its label, in the order of their first columns.

    The intercept is in none.

    Raises
    ------
    DataError
        For a name that there is not, a column that is named twice, or a wrong number of labels.
    """
    found: dict[Any, list[int]] = {}
    for j, label in enumerate(_labels(given, columns)):
        if j != columns.constant:
            found.setdefault(label, []).append(j)
    return {label: np.array(places) for label, places in found.items()}


def _labels(given: Any, columns: PenalisedColumns) -> list[Any]:
    """The label of each column's group, that of the intercept without meaning."""
    names = list(columns.names)
    of_terms: list[Any] = list(names)
    for term, where in columns.terms:
        of_terms[where] = [term] * len(names[where])
    if given is None:
        return of_terms
    if is_labelled(given):
        members: dict[Any, list[str]] = {}
        for name, label in zip(given.index, given, strict=True):
            members.setdefault(label, []).append(name)
        given = members
    if isinstance(given, Mapping):
        return _labels_of_names(given, of_terms, columns)
    labels = list(given) if np.ndim(given) == 1 else []
    if columns.constant is not None and len(labels) == len(names) - 1:
        labels.insert(columns.constant, "")
    if len(labels) != len(names):
        raise DataError(
            f"groups must hold a label for each of {len(names)} columns ({listed(names, 5)}), with "
            f"or without the intercept, {_AS_DICT}"
        )
    if any(label is None or label != label for label in labels):
        raise DataError("groups: a label is missing; penalty_factor= leaves a group free")
    return labels


def _labels_of_names(
    given: Mapping[Any, Any], of_terms: list[Any], columns: PenalisedColumns
) -> list[Any]:
    """The labels where a dict has the names of columns or terms by group."""
    labels, taken = list(of_terms), np.zeros(len(of_terms), bool)
    for label, members in given.items():
        if not isinstance(members, str | Sequence):
            raise DataError(f"groups must hold a label for each column, {_AS_DICT}")
        for name in [members] if isinstance(members, str) else members:
            place = columns.place(name, "group")
            places = np.arange(len(labels))[place].reshape(-1)
            if taken[places].any():
                raise DataError(f"groups: {name!r} is named twice")
            taken[places] = True
            for j in places:
                labels[j] = label
    for j in np.flatnonzero(~taken):
        if labels[j] in given:
            raise DataError(
                f"groups: {labels[j]!r} is the label of a group, and the name of a term that is "
                "not in it: take another label"
            )
    return labels

"""Owns the grid over which contrasts of a factor are taken: its levels beside those of others.

Only terms that hold the factor matter: in a contrast every other term cancels. So the grid has the
columns of the table that these terms read, and nothing need be known of the rest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.designs._pieces import Piece
from jaxglm.io.formula._columns import factor_columns, reads
from jaxglm.io.formula._encode import Component, encode
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._rtext import Expression, parse_expression
from jaxglm.io.formula._spec import TermsSpec, match_component
from jaxglm.io.tables import Level, read_table
from jaxglm.words import near_text

_MOST_ROWS = 2_000_000


@dataclass(frozen=True)
class LevelGrid:
    """What the columns of a design for the levels of a factor depend on.

    Attributes
    ----------
    spec : TermsSpec
    column : str
        The column of the table that holds the factor.
    levels : tuple
        Its levels.
    reference : Level
        That without a column in treatment coding.
    relevant : frozenset of int
        The components of terms that hold the factor.
    others : dict of str to tuple
        The other factors that these read, with their levels.
    numbers : tuple of str
        The columns of numbers that these read.
    """

    spec: TermsSpec
    column: str
    levels: tuple[Level, ...]
    reference: Level
    relevant: frozenset[int]
    others: dict[str, tuple[Level, ...]]
    numbers: tuple[str, ...]

    def pieces(self, held: Mapping[str, Any]) -> tuple[list[Piece], np.ndarray]:
        """The design of the grid, and which level of the factor each of its rows has, [n] int.

        Components without a part in the contrasts are 0 throughout.

        Parameters
        ----------
        held : dict
            The value of each column of numbers, and of other factors that are not averaged over.
        """
        axes = {self.column: self.levels}
        axes |= {name: levels for name, levels in self.others.items() if name not in held}
        shape = [len(levels) for levels in axes.values()]
        n = math.prod(shape)
        if n > _MOST_ROWS:
            raise DataError(
                f"there are {n:,} combinations of the levels of {', '.join(axes)}, more than the "
                f"{_MOST_ROWS:,} that can be averaged over: hold some at a level with at="
            )
        codes = np.unravel_index(np.arange(n), shape)
        columns: dict[str, Any] = {
            name: [levels[i] for i in own]
            for (name, levels), own in zip(axes.items(), codes, strict=True)
        }
        table = read_table(columns | {name: [value] * n for name, value in held.items()})
        values = []
        for i, component in enumerate(self.spec.components):
            if i not in self.relevant:
                values.append(_nothing(component, n))
                continue
            expression = parse_expression(component.text)
            raw, gaps = evaluate(
                expression, table, self.spec.states, self.spec.context, learn=False
            )
            own, _ = match_component(component, raw, gaps, "raise")
            values.append(own)
        pieces, _ = encode(self.spec.parts(values), n)
        return pieces, codes[0]


def level_grid(spec: TermsSpec, factor: str) -> LevelGrid:
    """The grid of a factor, named by its column or as the formula writes it.

    Raises
    ------
    DataError
        If it is no factor of the formula.
    """
    read = [parse_expression(component.text) for component in spec.components]
    plain = factor_columns(spec)
    named = [i for i in plain if factor in (plain[i], spec.components[i].label, read[i].text)]
    if not named:
        raise DataError(_no_factor(factor, spec, read, plain))
    column, chosen = plain[named[0]], spec.components[named[0]]
    holding = {i for i, own in enumerate(read) if column in reads(own)}
    relevant = {i for term in spec.terms if holding & {*term.components} for i in term.components}
    names = dict.fromkeys(name for i in sorted(relevant) for name in reads(read[i]))
    levels = {plain[i]: spec.components[i].levels for i in reversed(plain)}
    context = spec.context or {}
    return LevelGrid(
        spec=spec,
        column=column,
        levels=chosen.levels,
        reference=chosen.levels[chosen.reference],
        relevant=frozenset(relevant),
        others={name: levels[name] for name in names if name in levels and name != column},
        numbers=tuple(name for name in names if name not in levels and name not in context),
    )


def term_of_column(spec: TermsSpec, column: str) -> int | None:
    """The position of the term that is a column of numbers as it stands in the table."""
    for i, term in enumerate(spec.terms):
        if len(term.components) == 1:
            component = spec.components[term.components[0]]
            own = parse_expression(component.text).column
            if component.kind == "numeric" and own == column:
                return i
    return None


def _nothing(component: Component, n: int) -> np.ndarray:
    if component.kind == "factor":
        return np.zeros(n, np.int32)
    if component.kind == "bool":
        return np.zeros(n, bool)
    return np.zeros(n if component.width == 1 else (n, component.width))


def _no_factor(
    factor: str, spec: TermsSpec, read: list[Expression], plain: Mapping[int, str]
) -> str:
    for component, own in zip(spec.components, read, strict=True):
        if factor in (component.label, own.text, *own.columns()):
            if component.kind == "numeric":
                return (
                    f"{factor!r} holds numbers in this formula, and contrasts compare the levels "
                    f"of a factor: write C({factor}) in the formula, or give lincom a combination"
                )
            return (
                f"the levels of {component.label!r} are computed in the formula; to compare them, "
                "make a column of them in the table first"
            )
    if not plain:
        return f"there is no factor {factor!r}: the formula {spec.formula!r} has none"
    return f"there is no factor {factor!r} in the formula; {near_text(factor, plain.values())}"

"""Owns the variables of a formula in some rows: its columns where one takes another value."""

import ast
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxglm._status import DataError
from jaxglm.designs import DensePiece, FactorPiece
from jaxglm.io.formula._contrasts import CODINGS
from jaxglm.io.formula._differences import derivative
from jaxglm.io.formula._encode import Component, encode
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._functions import FACTORS
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._rtext import Expression, parse_expression
from jaxglm.io.formula._spec import TermsSpec, match_component
from jaxglm.io.tables import Column, Level, Table
from jaxglm.rows import ONE_FIT, OneFit, Postponed
from jaxglm.words import listed, near_text

Piece = DensePiece | FactorPiece

# Which variables a component mentions is asked again and again.
_parsed = functools.lru_cache(maxsize=4096)(parse_expression)


class Levels(NamedTuple):
    """The values that a variable of labels takes, and the one that others are compared with."""

    values: tuple[Level, ...]
    reference: Level


@dataclasses.dataclass(frozen=True, eq=False)
class Variables:
    """The variables of a formula in n rows, none of which misses a value.

    Attributes
    ----------
    spec : TermsSpec
    n : int
    columns : mapping of Column
        The variables that are known.
    values : tuple of ([n] or [n, k]) or None
        The components of the formula: numbers or codes; None where one is not known.
    """

    spec: TermsSpec
    n: int
    columns: Mapping[str, Column]
    values: tuple[np.ndarray | None, ...]

    @classmethod
    def of_table(
        cls, spec: TermsSpec, data: Any
    ) -> "tuple[Variables, Table, np.ndarray | None, np.ndarray]":
        """Of the complete rows of a table; with that, the offset and where values are missing.

        Raises
        ------
        DataError
            As `TermsSpec.pieces`.
        """
        table, values, offset, missing = spec.evaluated(data)
        columns = {name: table.column(name) for name in spec.columns(table.names)}
        own = cls(spec, table.n_rows, columns, tuple(values))
        return own.take(np.flatnonzero(~missing)) if missing.any() else own, table, offset, missing

    @classmethod
    def of_components(
        cls, spec: TermsSpec, n: int, values: Sequence[np.ndarray | None]
    ) -> "Variables":
        """Of the components alone: a variable is known where one is nothing but it."""
        columns: dict[str, Column] = {}
        numeric_last = sorted(range(len(values)), key=lambda i: spec.components[i].kind != "factor")
        for i in numeric_last:
            component, value = spec.components[i], values[i]
            name = _column_of(_parsed(component.text))
            if name is None or value is None:
                continue
            if component.kind == "factor":
                columns[name] = _labelled(name, value, component.levels)
            elif value.ndim == 1:
                kind = bool if component.kind == "bool" else float
                columns[name] = Column(name, value.astype(kind, copy=False))
        return cls(spec, n, columns, tuple(values))

    def take(self, rows: np.ndarray) -> "Variables":
        """Some of the rows."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        values = tuple(None if value is None else value[rows] for value in self.values)
        return Variables(self.spec, rows.size, columns, values)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of the terms, in order."""
        texts = (self.spec.components[i].text for term in self.spec.terms for i in term.components)
        return tuple(dict.fromkeys(name for text in texts for name in self._names(text)))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The variables, those of offsets among them, that are not known."""
        texts = (*(component.text for component in self.spec.components), *self.spec.offsets)
        names = dict.fromkeys(name for text in texts for name in self._names(text))
        return tuple(name for name in names if name not in self.columns)

    def column(self, name: str) -> Column:
        """A variable.

        Raises
        ------
        DataError
            Where it is none of the formula, or not known.
        """
        if name in self.columns:
            return self.columns[name]
        texts = [component.text for component in self.spec.components] + list(self.spec.offsets)
        if not any(self._mentions(text, name) for text in texts):
            raise DataError(
                f"{name!r} is no variable of the formula; {near_text(name, self.names)}"
            )
        raise self._lacking(name)

    def numbers(self, name: str) -> np.ndarray:
        """The values of a numeric variable, [n] float64."""
        column = self.column(name)
        if column.values is None:
            raise DataError(f"{name!r} holds labels, numbers are needed")
        return column.values.astype(float)

    def levels(self, name: str) -> Levels | None:
        """The levels of a variable that is taken as labels, or is true and false; else None."""
        for component in self._components(name):
            if component.kind == "factor" and _column_of(_parsed(component.text)) == name:
                return Levels(component.levels, component.levels[component.reference])
        column = self.column(name)
        if column.levels is not None:
            return Levels(column.levels, column.levels[0])
        assert column.values is not None
        return Levels((False, True), False) if column.values.dtype.kind == "b" else None

    def has_slope(self, name: str) -> bool:
        """Whether the variable enters as a number, and not by comparisons alone."""
        numeric = any(component.kind == "numeric" for component in self._components(name))
        return numeric or any(self._mentions(text, name) for text in self.spec.offsets)

    def terms(self, names: Sequence[str]) -> list[int]:
        """The terms that any of the variables is part of."""
        own = [
            any(self._mentions(component.text, name) for name in names)
            for component in self.spec.components
        ]
        return [t for t, term in enumerate(self.spec.terms) if any(own[i] for i in term.components)]

    def pieces(self, terms: Sequence[int]) -> list[Piece]:
        """The columns of some terms."""
        return self._pieces(terms, self.values)

    def with_values(self, settings: Mapping[str, Any]) -> "Variables":
        """The rows with other values of some variables: one for all rows, or [n] numbers.

        Raises
        ------
        DataError
            Where a variable is not known, or holds no such values.
        """
        changed = {
            name: _other(self.column(name), given, self.n) for name, given in settings.items()
        }
        columns = {**self.columns, **changed}
        values = list(self.values)
        for i, component in enumerate(self.spec.components):
            if not any(self._mentions(component.text, name) for name in settings):
                continue
            self._check_known(component.text, columns)
            try:
                raw = self._value(_parsed(component.text), columns, self.n, ONE_FIT)
                values[i], _ = match_component(component, raw, None, "raise")
            except DataError as error:
                raise DataError(_no_value(component, settings)) from error
        return Variables(self.spec, self.n, columns, tuple(values))

    def slopes(self, name: str, spread: float) -> Iterator[tuple[list[int], list[Piece]]]:
        """Derivatives of the columns along a variable, as parts that add up.

        Each part is the derivative through one component: terms, and what stands in their columns.
        A column is a product of components, so the parts of a product add up to its derivative.
        """
        for i, component in enumerate(self.spec.components):
            if component.kind != "numeric" or not self._mentions(component.text, name):
                continue
            values = list(self.values)
            values[i] = self._derivative(component.text, component, name, spread)
            terms = [t for t, term in enumerate(self.spec.terms) if i in term.components]
            yield terms, self._pieces(terms, values)

    def offset(self, names: Sequence[str]) -> np.ndarray | None:
        """The offset of the formula, [n]; None where none of the variables is part of it."""
        if not any(self._mentions(text, name) for text in self.spec.offsets for name in names):
            return None
        for text in self.spec.offsets:
            self._check_known(text, self.columns)
        table = Table.of(self.columns, self.n)
        return self.spec.offset(table, np.zeros(self.n, bool), ONE_FIT)

    def offset_slope(self, name: str, spread: float) -> np.ndarray | None:
        """The derivative of the offset along a variable; None where it has no part in it."""
        texts = [text for text in self.spec.offsets if self._mentions(text, name)]
        if not texts:
            return None
        return sum(
            (self._derivative(text, None, name, spread) for text in texts), start=np.zeros(self.n)
        )

    # -- inside ----------------------------------------------------------------------------------

    def _names(self, text: str) -> list[str]:
        """The variables of an expression; codings and constants of a context are none."""
        others = {*CODINGS, *(self.spec.context or {})} - set(self.columns)
        return [name for name in _parsed(text).columns() if name not in others]

    def _mentions(self, text: str, name: str) -> bool:
        return name in self._names(text)

    def _components(self, name: str) -> list[Component]:
        return [c for c in self.spec.components if self._mentions(c.text, name)]

    def _check_known(self, text: str, columns: Mapping[str, Column]) -> None:
        """Refuse an expression of variables that are not among some columns."""
        for name in self._names(text):
            if name not in columns:
                raise self._lacking(name)

    def _lacking(self, name: str) -> DataError:
        inside = [c.label for c in self._components(name)] or list(self.spec.offsets)
        return DataError(
            f"a result keeps the columns of its design, and {name!r} cannot be read from them: it "
            f"stands only in {listed(inside, 3)}, and the table of the fit is not at hand. Give it "
            "as well: data=table."
        )

    def _pieces(self, terms: Sequence[int], values: Sequence[np.ndarray | None]) -> list[Piece]:
        for i in {i for t in terms for i in self.spec.terms[t].components}:
            if values[i] is None:
                self._check_known(self.spec.components[i].text, {})
        # What no term of these is made of is not looked at.
        parts = self.spec.parts([np.zeros(0) if value is None else value for value in values])
        pieces, _ = encode([parts[t] for t in terms], self.n)
        return pieces

    def _value(
        self, expression: Expression, columns: Mapping[str, Column], n: int, fits: OneFit
    ) -> np.ndarray | Labels:
        table, context = Table.of(columns, n), self.spec.context
        value, _ = evaluate(expression, table, self.spec.states, context, learn=False, fits=fits)
        return value

    def _derivative(
        self, text: str, component: Component | None, name: str, spread: float
    ) -> np.ndarray:
        """The derivative of an expression, a component or an offset, along a variable."""
        expression, x = _parsed(text), self.numbers(name)
        if expression.column == name:
            return np.ones(self.n)

        def function(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
            columns = {key: column.take(rows) for key, column in self.columns.items()}
            columns[name] = Column(name, at)
            value = self._value(expression, columns, rows.size, Postponed())
            if component is not None:
                value, _ = match_component(component, value, None, "raise")
            return np.asarray(value, float)

        slopes = derivative(function, x, spread)
        none = ~np.isfinite(slopes if slopes.ndim == 1 else slopes.sum(axis=1))
        if none.any():
            where = listed(dict.fromkeys(f"{value:g}" for value in x[none]), 3)
            raise DataError(
                f"{expression.label} has no slope along {name!r} where {name!r} is {where}; leave "
                "those rows out, or compare predictions at two values of it"
            )
        return slopes


def _column_of(expression: Expression) -> str | None:
    """The column that an expression is nothing but, as numbers or as labels of some coding."""
    tree = expression.tree
    if expression.call in FACTORS and isinstance(tree, ast.Call) and tree.args:
        first = tree.args[0]
        return expression.name(first.id) if isinstance(first, ast.Name) else None
    if expression.call == "I" and expression.argument is not None:
        return expression.argument.column
    return expression.column


def _no_value(component: Component, settings: Mapping[str, Any]) -> str:
    """What to say where a component has no value at some of variables."""
    there = " and ".join(
        f"{name!r} {'moved by one' if isinstance(given, np.ndarray) else f'at {given}'}"
        for name, given in settings.items()
    )
    levels = f", which had the levels {listed(component.levels)} in the fit"
    has = levels if component.levels else ""
    return f"there is no {component.label} with {there}{has}"


def _labelled(name: str, codes: np.ndarray, levels: tuple[Level, ...]) -> Column:
    """A factor as the column that it was made of: numbers, where its levels are numbers."""
    if any(isinstance(level, str) for level in levels):
        return Column(name, codes=codes, levels=levels)
    return Column(name, np.array(levels)[codes])


def _other(column: Column, given: Any, n: int) -> Column:
    """A column with another value in all rows, or with [n] other numbers."""
    name = column.name
    if isinstance(given, np.ndarray):
        return Column(name, given)
    plain = given.item() if isinstance(given, np.generic) else given
    if column.levels is not None:
        if plain not in column.levels:
            near = near_text(str(plain), map(str, column.levels))
            raise DataError(f"{name!r} has no level {plain!r} in the fit; {near}")
        codes = np.full(n, column.levels.index(plain), np.int32)
        return Column(name, codes=codes, levels=column.levels)
    if not isinstance(plain, int | float) or not np.isfinite(plain):
        raise DataError(f"{name!r} holds numbers, and {plain!r} is none")
    assert column.values is not None
    if column.values.dtype.kind == "b":
        if plain not in (0, 1):
            raise DataError(f"{name!r} holds true and false, and {plain!r} is neither")
        return Column(name, np.full(n, bool(plain)))
    return Column(name, np.full(n, plain))

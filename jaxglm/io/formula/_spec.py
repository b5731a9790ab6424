"""Owns what a formula has become after training: the recipe that turns new data into pieces.

Saved as plain JSON: text, levels, knots and coefficients, never code.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxglm._schema import Damaged, read_record
from jaxglm._status import DataError, FormulaError
from jaxglm.designs._pieces import Piece
from jaxglm.io.formula._contrasts import EACH
from jaxglm.io.formula._encode import Component, Part, encode
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._functions import SHRUNK
from jaxglm.io.formula._labels import Labels, labels_of
from jaxglm.io.formula._rtext import parse_expression
from jaxglm.io.formula._saved import check_component, check_expression, check_names, check_state
from jaxglm.io.formula._transforms import State
from jaxglm.io.tables import Level, Table, check_floats, read_table, rows_text
from jaxglm.rows import OneFit, Postponed
from jaxglm.words import check_choice, listed

_FORMAT = 1


@dataclass(frozen=True)
class Term:
    """A term: its label, the components multiplied, and which of them lose a level."""

    label: str
    components: tuple[int, ...]
    reduced: tuple[bool, ...]


@dataclass(frozen=True)
class _Saved:
    """The fields of a recipe as JSON holds them."""

    formula: str
    components: tuple[Component, ...]
    terms: tuple[Term, ...]
    offsets: tuple[str, ...]
    states: dict[str, dict[str, Any]]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TermsSpec:
    """The recipe of a design.

    Attributes
    ----------
    formula : str
    components : tuple of Component
    terms : tuple of Term
    offsets : tuple of str
        Texts of the offset(...) calls.
    states : dict
        What the transforms learnt, by the text of their call.
    names : tuple of str
        Column names.
    context : mapping or None
        The caller's own functions; not saved and not pickled.
    """

    formula: str
    components: tuple[Component, ...]
    terms: tuple[Term, ...]
    offsets: tuple[str, ...]
    states: dict[str, State]
    names: tuple[str, ...]
    context: Mapping[str, Any] | None = field(default=None, repr=False)

    def pieces(
        self, newdata: Any, unseen: str = "raise"
    ) -> tuple[list[Piece], np.ndarray | None, np.ndarray | None]:
        """The design of new data, one row per row given.

        Parameters
        ----------
        newdata : as for `read_table`
        unseen : "raise", "base" or "nan"
            What a level that was not in the training data does: an error, or it counts as the
            reference level, or as missing.

        Returns
        -------
        pieces : list of Piece
            Zero, or the first level, in rows with missing values.
        offset : float64 [n] or None
            NaN in rows with missing values.
        missing : bool [n] or None
            Rows with a missing value in any column used; None if there is none.

        Raises
        ------
        DataError
            If a column is not there, has other levels or another type than in training.
        """
        _, values, offset, missing = self.evaluated(newdata, unseen)
        pieces, _ = encode(self.parts(values), len(missing))
        return pieces, offset, missing if missing.any() else None

    def evaluated(
        self, newdata: Any, unseen: str = "raise"
    ) -> tuple[Table, list[np.ndarray], np.ndarray | None, np.ndarray]:
        """The table that was read, the values of the components, offset, and missing rows [n] bool.

        Parameters and errors as for `pieces`; values are zero in missing rows.
        """
        check_choice("unseen", unseen, ("raise", "base", "nan"))
        table = read_table(newdata)
        table = table.load(self.columns(table.names))
        missing = np.zeros(table.n_rows, dtype=bool)
        faults = Postponed()
        values = []
        for component in self.components:
            raw, gaps = self._evaluate(component.text, table, faults)
            own, gaps = match_component(component, raw, gaps, unseen)
            values.append(own)
            if gaps is not None:
                missing |= gaps
        offset = self.offset(table, missing, faults) if self.offsets else None
        faults.settle(missing)
        if missing.any():
            values = [np.where(missing if v.ndim == 1 else missing[:, None], 0, v) for v in values]
        return table, values, offset, missing

    def parts(self, values: Sequence[np.ndarray]) -> list[list[Part]]:
        """The terms with the evaluated components filled in."""
        return [
            [
                Part(self.components[i], reduced, values[i])
                for i, reduced in zip(term.components, term.reduced, strict=True)
            ]
            for term in self.terms
        ]

    @property
    def shrunk(self) -> tuple[str, ...]:
        """The labels of the terms that have a penalty of their own: s(...) and re(...)."""
        return tuple(term.label for term in self.terms if self._call(term) in SHRUNK)

    def is_random(self, label: str) -> bool:
        """Whether a term is a random effect, whose levels stand in no order."""
        return any(term.label == label and self._call(term) == "re" for term in self.terms)

    @property
    def random_variables(self) -> frozenset[str]:
        """Variables that stand in random effects and nowhere else."""
        texts = {True: set[str](), False: set[str]()}
        for component in self.components:
            texts[component.contrast == EACH].update(parse_expression(component.text).columns())
        return frozenset(texts[True] - texts[False])

    def n_in_order(self, label: str) -> int:
        """How many values of a term stand in order: see `in_order`; 0 for a term of none."""
        term = next((term for term in self.terms if term.label == label), None)
        if term is None or len(term.components) != 1:
            return 0
        component = self.components[term.components[0]]
        if self._call(term) == "s":
            return component.width + 1
        return len(component.levels) if component.kind == "factor" else 0

    def in_order(self, label: str) -> np.ndarray:
        """What the columns of a term are to values that stand in order, [m, columns].

        Those are the effects of the levels of a factor, or the coefficients of the splines of a
        curve.
        """
        term = next(term for term in self.terms if term.label == label)
        component = self.components[term.components[0]]
        if self._call(term) == "s":
            return np.array(self.states[component.text]["free"])
        return component.coding(reduced=term.reduced[0])

    def _call(self, term: Term) -> str | None:
        if len(term.components) != 1:
            return None
        return parse_expression(self.components[term.components[0]].text).call

    def columns(self, available: Sequence[str] | None = None) -> tuple[str, ...]:
        """The columns of a table that the right side needs, `available` ones only if given."""
        texts = [component.text for component in self.components] + list(self.offsets)
        names = dict.fromkeys(name for text in texts for name in parse_expression(text).columns())
        return tuple(name for name in names if available is None or name in available)

    def to_json(self) -> str:
        """The recipe as JSON, without the functions of a context."""
        body = {
            "format": _FORMAT,
            "formula": self.formula,
            "components": [dataclasses.asdict(component) for component in self.components],
            "terms": [dataclasses.asdict(term) for term in self.terms],
            "offsets": self.offsets,
            "states": self.states,
            "names": self.names,
        }
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str, context: Mapping[str, Any] | None = None) -> "TermsSpec":
        """The recipe that `to_json` wrote; `context` gives own functions of the formula again.

        Raises
        ------
        Damaged
            If it is something else, or cannot be carried out.
        """
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Damaged("the formula", "is no recipe of one") from error
        if not isinstance(body, dict) or body.get("format") != _FORMAT:
            said = body.get("format") if isinstance(body, dict) else None
            raise Damaged("the formula", f"has format {said}, this version reads {_FORMAT}")
        saved = read_record(body, _Saved, "formula")
        most, components = len(saved.names), saved.components
        for i, component in enumerate(components):
            check_component(component, f"formula.components[{i}]", most)
        for i, offset in enumerate(saved.offsets):
            check_expression(offset, f"formula.offsets[{i}]")
        states = {
            text: check_state(text, state, f"formula.states[{text!r}]", most)
            for text, state in saved.states.items()
        }
        for i, term in enumerate(saved.terms):
            inside = all(0 <= number < len(components) for number in term.components)
            if not inside or len(term.components) != len(term.reduced):
                raise Damaged(f"formula.terms[{i}]", "is made of components that are not there")
        named = [
            [
                (components[number], reduced)
                for number, reduced in zip(term.components, term.reduced, strict=True)
            ]
            for term in saved.terms
        ]
        check_names(named, saved.names)
        return cls(
            formula=saved.formula,
            components=components,
            terms=saved.terms,
            offsets=saved.offsets,
            states=states,
            names=saved.names,
            context=context,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return TermsSpec.from_json, (self.to_json(),)

    # Nothing in it changes: a copy in memory is itself, the functions of a context included.
    def __copy__(self) -> "TermsSpec":
        return self

    def __deepcopy__(self, memo: Any) -> "TermsSpec":
        return self

    def _evaluate(
        self, text: str, table: Table, faults: OneFit
    ) -> tuple[np.ndarray | Labels, np.ndarray | None]:
        expression = parse_expression(text)
        return evaluate(expression, table, self.states, self.context, learn=False, fits=faults)

    def offset(self, table: Table, missing: np.ndarray, faults: OneFit) -> np.ndarray:
        """The sum of the offset(...) terms; marks their gaps in `missing`."""
        total = np.zeros(table.n_rows)
        for text in self.offsets:
            value, gaps = self._evaluate(text, table, faults)
            total += offset_values(text, value)
            if gaps is not None:
                missing |= gaps
        total[missing] = np.nan
        return total


def _are_truth(levels: Sequence[Level]) -> bool:
    return all(isinstance(level, bool) for level in levels)


def offset_values(text: str, value: np.ndarray | Labels) -> np.ndarray:
    """An evaluated offset, checked to be one number per row."""
    if isinstance(value, Labels) or value.ndim != 1:
        raise FormulaError(f"{text!r} must give one number per row")
    return value


def match_component(
    component: Component,
    value: np.ndarray | Labels,
    missing: np.ndarray | None,
    unseen: str,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Evaluated new data in the terms of the training data: same type, same codes.

    Rows without a level get code 0 and are among those returned as missing.
    """
    if component.kind != "factor":
        if isinstance(value, Labels) and component.kind == "bool" and _are_truth(value.levels):
            gaps = value.codes < 0
            missing = gaps if missing is None else missing | gaps
            value = np.array([*value.levels, False])[value.codes]
        if isinstance(value, Labels):
            raise DataError(
                f"{component.label!r} held numbers in the fit and now holds labels; convert it"
            )
        return _match_numbers(component, value), missing
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isnan(value).all():
        # A column with nothing in it has no type: numbers and labels look the same.
        value = Labels(np.full(len(value), -1, np.int32), ())
    if isinstance(value, np.ndarray) and not any(isinstance(v, str) for v in component.levels):
        # Categories that are numbers or truth values: a column of these has the same values.
        value = labels_of(component.text, value, missing)
    if not isinstance(value, Labels):
        raise DataError(
            f"{component.label!r} held labels in the fit ({listed(component.levels, 4)}) and now "
            "holds numbers; convert it"
        )
    codes = _match_levels(component, value, unseen)
    gaps = codes < 0
    if gaps.any():
        codes = np.where(gaps, np.int32(0), codes)
        missing = gaps if missing is None else missing | gaps
    return codes, missing


def _match_numbers(component: Component, value: np.ndarray) -> np.ndarray:
    width = value.shape[1] if value.ndim == 2 else 1
    if width != component.width:
        raise DataError(f"{component.label!r} has {width} columns, {component.width} in the fit")
    if component.kind == "bool" and value.dtype.kind != "b":
        wrong = (value != 0) & (value != 1) & ~np.isnan(value)
        if wrong.any():
            raise DataError(
                f"{component.label!r} held true and false in the fit and now holds numbers other "
                f"than 0 and 1 in {rows_text(wrong)}"
            )
    return value


def _match_levels(component: Component, value: Labels, unseen: str) -> np.ndarray:
    """Codes in the levels of the training data; -1 where missing, or unseen under "nan"."""
    check_floats(component.label, component.levels, value.levels)
    if value.levels == component.levels:
        return value.codes
    place = {level: code for code, level in enumerate(component.levels)}
    recode = np.array([place.get(level, -2) for level in value.levels] + [-1], dtype=np.int32)
    codes = recode[value.codes]
    strange = codes == -2
    if strange.any():
        if unseen == "raise":
            used = np.unique(value.codes[strange]).tolist()
            says = (
                "takes their effect as 0"
                if component.contrast == EACH
                else f"counts them as the reference level {component.levels[component.reference]!r}"
            )
            raise DataError(
                f"column {component.label!r} has levels that were not in the fit: "
                f"{listed(repr(value.levels[code]) for code in used)} in {rows_text(strange)}; "
                f"unseen='nan' gives nan there, and in a single fit unseen='base' {says}"
            )
        base = len(component.levels) if component.contrast == EACH else component.reference
        codes[strange] = base if unseen == "base" else -1
    return codes

"""Owns the formula door: formula and table in, response, pieces and a recipe for new data out."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxglm._status import DataError, FormulaError
from jaxglm.designs._pieces import Piece
from jaxglm.io.formula._contrasts import CODINGS, EACH, no_coding
from jaxglm.io.formula._encode import Component, encode
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._levels import check_names, level_cautions, levels_used
from jaxglm.io.formula._misread import backtick_hint
from jaxglm.io.formula._response import Response, evaluate_response
from jaxglm.io.formula._rtext import Expression
from jaxglm.io.formula._spec import Term, TermsSpec, match_component, offset_values
from jaxglm.io.formula._terms import Formula, parse_formula, reduced_codings
from jaxglm.io.formula._tokens import quoted
from jaxglm.io.formula._transforms import State
from jaxglm.io.tables import Level, Table, numbers_of, read_table, read_vector
from jaxglm.io.tables._gaps import Gaps, check_policy, index_of_kept
from jaxglm.rows import ONE_FIT, OneFit, Postponed


@dataclass(frozen=True, eq=False)
class ModelFrame:
    """A formula evaluated on a table, in the rows that are used.

    Attributes
    ----------
    y : float64 [n]
        The response; successes where there are `trials`.
    trials : float64 [n] or None
        Successes plus failures of a cbind(successes, failures) response.
    y_name : str
    y_levels : tuple of two levels or None
        For a response of two labels; y is 1 for the second.
    pieces : list of Piece
        The design in public column order.
    names : list of str
        The columns.
    terms : list of (label, slice)
        Which columns a term of the formula has.
    offset : float64 [n] or None
        Sum of the offset(...) terms, on the link scale.
    extra : dict of float64 [n] or None
        The arrays given, in the rows used.
    rows_kept : int [n] or None
        Positions of the rows used; None if all are.
    n_dropped : int
    dropped_rows_first : tuple of int
        The first rows left out, counting from 0.
    index : pandas.Index or None
        Of the rows used.
    spec : TermsSpec
        Makes the same columns for new data.
    columns_used : tuple of str
    notes : tuple of str
        Plain-language remarks: levels left out, rows dropped, what the formula does not mean.
    cautions : tuple of str
        Those of the notes that deserve a warning: what in the data is likely not meant.
    """

    y: np.ndarray
    trials: np.ndarray | None
    y_name: str
    y_levels: tuple[Level, ...] | None
    pieces: list[Piece]
    names: list[str]
    terms: list[tuple[str, slice]]
    offset: np.ndarray | None
    extra: dict[str, np.ndarray | None]
    rows_kept: np.ndarray | None
    n_dropped: int
    dropped_rows_first: tuple[int, ...]
    index: Any
    spec: TermsSpec
    columns_used: tuple[str, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """The number of rows used."""
        return len(self.y)

    @property
    def n_rows_given(self) -> int:
        """The number of rows of the data."""
        return len(self.y) + self.n_dropped


def model_frame(
    formula: str,
    data: Any,
    *,
    missing: str = "raise",
    extra: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    fits: OneFit = ONE_FIT,
    responses: Sequence[str] | None = None,
) -> ModelFrame:
    """Evaluate a formula on a table.

    Parameters
    ----------
    formula : str
        As in R: ``y ~ x + g + x:g + bs(z, df=4) + offset(log(e))``.
    data : table
        As for `read_table`.
    missing : "raise" or "drop"
        What a missing value in any column used, or in `extra`, does.
    extra : dict of array, column name or None
        Weights and the like: one value per row of the data.
    context : dict, optional
        Functions and constants that the formula may use by name.
    fits : OneFit
        What a row that cannot be used ends. Rows with a value that is missing or not finite are
        left out where that is not the call.
    responses : sequence of str, optional
        Columns that are responses, each by itself, and yet to be read: the formula has no left
        side, and zeros stand for the response.

    Raises
    ------
    FormulaError
        If the formula is malformed, or an expression cannot be evaluated.
    DataError
        If a column is unusable, values are missing (with "raise"), or no row is left.

    Examples
    --------
    >>> frame = model_frame("y ~ x + g", {"y": [1, 2, 3], "x": [0.5, 1, 2], "g": ["a", "b", "a"]})
    >>> frame.names
    ['Intercept', 'x', 'g[T.b]']
    """
    check_policy(missing)
    table = read_table(data)
    aside = set(responses or ())
    parsed = parse_formula(formula, table.names, aside)
    if parsed.response is None and responses is None:
        raise FormulaError(f"formula {formula!r} has no response; write it as 'y ~ x'")
    if parsed.response is not None and responses is not None:
        raise FormulaError(
            f"formula {formula!r} has a left side, but responses= names the responses; write it as "
            f"'~ x'"
        )
    if not parsed.terms:
        raise FormulaError(f"formula {formula!r} leaves no column to estimate a coefficient for")
    taken = aside if parsed.response is None else {parsed.response.label}
    twice = next((item.label for item in parsed.components if item.label in taken), None)
    if twice is not None:
        raise FormulaError(
            f"the response {twice!r} is also on the right of {formula!r}; remove it there"
        )
    _check_names(parsed, table, context or {})
    notes = [*parsed.notes, *_notes_on_dot(parsed, extra or {})]
    if table.n_rows == 0:
        raise DataError("the data are empty: there are no rows")
    used = _columns_used(parsed, table, extra)
    table = table.load(used)
    gaps, faults = Gaps(table.n_rows), Postponed()
    for name, where in fits.gaps.items():
        gaps.add(name, where)
    states: dict[str, State] = {}

    def value_of(expression: Expression) -> np.ndarray | Labels:
        value, where = evaluate(expression, table, states, context, learn=True, fits=faults)
        gaps.add(expression.text, where)
        return value

    response = Response(np.zeros(table.n_rows))
    if parsed.response is not None:
        response = evaluate_response(parsed.response, table, context, faults)
        gaps.add(parsed.response.text, response.missing)
    values = [value_of(component) for component in parsed.components]
    offsets = [offset_values(item.text, value_of(item)) for item in parsed.offsets]
    arrays = _read_extra(extra or {}, table, faults)
    for name, array in arrays.items():
        gaps.add(name, None if array is None else np.isnan(array))

    rows = gaps.rows_kept(missing, faults, fits)
    if rows is not None:
        notes.extend(gaps.note(fits))
        response = response.take(rows)
        values = [_take(value, rows) for value in values]
        offsets = [offset[rows] for offset in offsets]
        arrays = {name: None if a is None else a[rows] for name, a in arrays.items()}
    n_rows = len(response.y)
    if parsed.response is not None:
        response = response.settled(parsed.response.label)
    components, codes = _train(parsed.components, values, rows, notes)
    cautions = [
        caution
        for expression, component in zip(parsed.components, components, strict=True)
        for caution in level_cautions(component.levels, expression)
    ]
    notes = [*_notes_on_powers(parsed, components), *notes]
    spec, pieces, terms = _assemble(parsed, components, codes, states, context, n_rows)
    return ModelFrame(
        y=response.y,
        trials=response.trials,
        y_name="" if parsed.response is None else parsed.response.label,
        y_levels=response.levels,
        pieces=pieces,
        names=list(spec.names),
        terms=terms,
        offset=functools.reduce(np.add, offsets, np.zeros(n_rows)) if offsets else None,
        extra=arrays,
        rows_kept=rows,
        n_dropped=table.n_rows - n_rows,
        dropped_rows_first=gaps.first(),
        index=table.index if rows is None else index_of_kept(table.index, rows),
        spec=spec,
        columns_used=used,
        notes=(*cautions, *notes),
        cautions=tuple(cautions),
    )


def _notes_on_powers(parsed: Formula, components: Sequence[Component]) -> Iterator[str]:
    """A term that is multiplied with itself is itself: only of numbers there are powers."""
    numbers = {item.text for item in parsed.offsets}
    numbers |= {own.text for own in components if own.kind == "numeric" and own.width == 1}
    for text, power in parsed.powers.items():
        yield power.words + (power.if_number if text in numbers else "")


def _notes_on_dot(parsed: Formula, extra: Mapping[str, Any]) -> list[str]:
    """R's `.` takes in the columns given as weights and the like: say so."""
    predictors = {component.column for component in parsed.components}
    return [
        f"the column {given!r} is a predictor and is also given as {name}; take it out of the "
        f"formula, as in '. - {given}', if that is not meant"
        for name, given in extra.items()
        if isinstance(given, str) and given in predictors
    ]


def _check_names(parsed: Formula, table: Table, context: Mapping[str, Any]) -> None:
    """Refuse a name of no column that another column explains: an attribute, missing backticks."""
    known = {*table.names, *context, *CODINGS}
    expressions = [*parsed.components, *parsed.offsets]
    expressions += [parsed.response] if parsed.response else []
    strange = [name for item in expressions for name in item.columns() if name not in known]
    for name in strange:
        if name.startswith("contr."):
            raise FormulaError(f"{quoted(parsed.text)}: {no_coding(name)}")
        if "." in name and (name.partition(".")[0] in known or "__" in name):
            raise FormulaError(
                f"no column {name!r} in the data; a dot is a letter of a name, and attributes of "
                "columns have no meaning in a formula"
            )
    if strange and (hint := backtick_hint(parsed.text, table.names)):
        raise FormulaError(f"no column {strange[0]!r} in the data{hint}")


def _columns_used(
    parsed: Formula, table: Table, extra: Mapping[str, Any] | None
) -> tuple[str, ...]:
    sides = [parsed.response] if parsed.response else []
    expressions = [*sides, *parsed.components, *parsed.offsets]
    names = dict.fromkeys(name for item in expressions for name in item.columns())
    names |= dict.fromkeys(value for value in (extra or {}).values() if isinstance(value, str))
    return tuple(name for name in names if name in table.names)


def _read_extra(
    extra: Mapping[str, Any], table: Table, fits: OneFit
) -> dict[str, np.ndarray | None]:
    arrays: dict[str, np.ndarray | None] = {}
    for name, given in extra.items():
        if isinstance(given, str):
            given = numbers_of(table.column(given, fits), name)
        arrays[name] = (
            None
            if given is None
            else read_vector(given, name, table.n_rows, table.index, allow_missing=True, fits=fits)
        )
    return arrays


def _take(value: np.ndarray | Labels, rows: np.ndarray) -> np.ndarray | Labels:
    if isinstance(value, Labels):
        return replace(value, codes=value.codes[rows])
    return value[rows]


def _train(
    expressions: Sequence[Expression],
    values: Sequence[np.ndarray | Labels],
    kept: np.ndarray | None,
    notes: list[str],
) -> tuple[list[Component], list[np.ndarray]]:
    """Fix the type, width and levels of each component; codes of the levels that occur."""
    components, codes = [], []
    for expression, value in zip(expressions, values, strict=True):
        plain = Component(expression.text, expression.label, "numeric")
        if isinstance(value, Labels):
            component = replace(
                plain,
                kind="factor",
                levels=levels_used(value, expression, kept, notes),
                contrast=value.contrast,
            )
            value, _ = match_component(component, value, None, "raise")
        elif value.dtype.kind == "b" and value.ndim == 1:
            component = replace(plain, kind="bool", levels=(False, True))
        else:
            component = replace(plain, width=value.shape[1] if value.ndim == 2 else 1)
        components.append(component)
        codes.append(value)
    return components, codes


def _assemble(
    parsed: Formula,
    components: list[Component],
    codes: list[np.ndarray],
    states: dict[str, State],
    context: Mapping[str, Any] | None,
    n_rows: int,
) -> tuple[TermsSpec, list[Piece], list[tuple[str, slice]]]:
    """Code the terms and build their pieces and the recipe."""
    factors = [
        i
        for i, component in enumerate(components)
        if component.kind != "numeric" and component.contrast != EACH
    ]
    terms = []
    for term, reduced in zip(parsed.terms, reduced_codings(parsed.terms, factors), strict=True):
        for i, reduce in zip(term, reduced, strict=True):
            if reduce and len(components[i].levels) < 2:
                raise DataError(
                    f"factor {components[i].label!r} has only one level in the rows used, "
                    f"{components[i].levels[0]!r}; remove it from the formula"
                )
        label = ":".join(components[i].label for i in term) or "Intercept"
        terms.append(Term(label, term, reduced))
    spec = TermsSpec(
        formula=parsed.text,
        components=tuple(components),
        terms=tuple(terms),
        offsets=tuple(item.text for item in parsed.offsets),
        states=states,
        names=(),
        context=context,
    )
    pieces, widths = encode(spec.parts(codes), n_rows)
    names = tuple(name for piece in pieces for name in piece.names)
    ends = np.cumsum(widths)
    slices = [
        (term.label, slice(int(end - width), int(end)))
        for term, end, width in zip(terms, ends, widths, strict=True)
    ]
    check_names(names, slices)
    return replace(spec, names=names), pieces, slices

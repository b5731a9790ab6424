"""Owns the reading of further terms for the rows of a fit, beside the columns that it holds."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import assemble
from jaxglm.intake._dataset import Dataset
from jaxglm.intake._model import Model
from jaxglm.sources import Block
from jaxglm.words import listed

# A dot that stands for the terms of the fit, and is no part of a name or a number.
_DOT = re.compile(r"(?<![\w.`])\.(?![\w.`])")
# Columns read again agree with those held up to rounding.
_SAME = 1e-9
# What the vector is called that tells which rows the fit used.
_MARK = "the rows of the fit"


def with_further(model: Model, scope: Any, data: Any, what: str) -> Model:
    """The model of a fit with the terms of a scope as well, on the rows of the fit.

    Parameters
    ----------
    model : Model
        Of a formula, with its rows.
    scope : str or sequence of str
        The right side of a formula, in which `.` stands for the terms of the fit; or terms, of
        which one that is the name of a column is that column, however it is spelt.
    data : table
        The one that was fitted, with the columns of the new terms.
    what : str
        What asks for it, in messages.

    Raises
    ------
    DataError
        Where the data are not those of the fit, or miss a value of a new term in one of its rows.
    """
    held = model.held(what)
    if model.spec is None:
        raise DataError(
            f"{what} reads new terms from a table, and this is a fit of arrays: fit it with the "
            "further columns and compare the two with jaxglm.anova(m1, m2), or give the columns to "
            "score_test(columns)."
        )
    if data is None:
        raise DataError(
            f"{what} needs the table that was fitted, with the columns of the new terms: give it "
            "as data=."
        )
    table = io.read_table(data)
    if table.n_rows != held.n_given:
        raise DataError(
            f"data has {table.n_rows:,} rows, and the fit was given {held.n_given:,}: give the "
            "table that was fitted."
        )
    used = np.ones(held.n_given)
    if held.kept is not None:
        used[:] = np.nan
        used[held.kept] = 1.0
    frame = io.model_frame(
        _formula(model, scope, table.names),
        data,
        missing="drop",
        extra={_MARK: used},
        context=model.spec.context,
        responses=(),
    )
    _check_rows(held, frame.rows_kept)
    if frame.offset is not None:
        raise DataError(f"scope {scope!r} has an offset, which is no term to add")
    if model.y_name in (component.label for component in frame.spec.components):
        raise DataError(f"scope {scope!r} has the response {model.y_name!r} among its terms")
    _check_coding(model, frame)
    design, order = assemble(frame.pieces, frame.n_rows)
    further = dataclasses.replace(
        held, block=Block(design, held.rows), order=order, fingerprint=None, in_place=False
    )
    wider = dataclasses.replace(
        model,
        names=tuple(frame.names),
        terms=tuple(frame.terms),
        spec=frame.spec,
        dataset=further,
    )
    _check_same(model, held, wider, table)
    return wider


def _formula(model: Model, scope: Any, columns: Sequence[str]) -> str:
    """The right side of the fit and its scope, as the formula of one design."""
    assert model.spec is not None
    texts = [component.text for component in model.spec.components]
    terms = [":".join(texts[i] for i in term.components) for term in model.spec.terms]
    own = [term for term in terms if term]
    base = "1" if "" in terms else "0"
    if isinstance(scope, str) and scope not in columns:
        right = scope.partition("~")[2] if "~" in scope else scope
    elif isinstance(scope, Sequence) and all(isinstance(term, str) for term in scope) and scope:
        given = [scope] if isinstance(scope, str) else scope
        right = " + ".join(f"`{term}`" if term in columns else term for term in given)
    else:
        raise DataError(
            f"scope must be the right side of a formula, '~ . + x + g:x', or a list of terms, not "
            f"{scope!r}"
        )
    right = _DOT.sub("(" + " + ".join(own or ["1"]) + ")", right)
    return f"~ {base} + " + " + ".join([*own, right.strip()])


def _check_rows(held: Dataset, kept: np.ndarray | None) -> None:
    """Refuse new terms that miss a value in a row of the fit."""
    mine = np.arange(held.n_given) if held.kept is None else held.kept
    missing = mine if kept is None else np.setdiff1d(mine, kept)
    if kept is None or not missing.size:
        return
    where = np.zeros(held.n_given, bool)
    where[missing] = True
    raise DataError(
        f"the new terms miss a value in {io.rows_text(where)}, which the fit has: models of other "
        "rows cannot be compared. Fit again to the rows that are complete in all columns."
    )


def _check_coding(model: Model, frame: io.ModelFrame) -> None:
    """Refuse a scope beside which terms of the fit have other columns than alone."""
    assert model.spec is not None

    def coded(spec: io.TermsSpec) -> dict[frozenset[str], dict[str, bool]]:
        texts = [component.text for component in spec.components]
        return {
            frozenset(texts[i] for i in term.components): {
                texts[i]: reduced for i, reduced in zip(term.components, term.reduced, strict=True)
            }
            for term in spec.terms
        }

    mine, theirs = coded(model.spec), coded(frame.spec)
    other = [":".join(parts) or "Intercept" for parts in mine if theirs.get(parts) != mine[parts]]
    if other:
        raise DataError(
            f"beside the terms of scope, {listed(map(repr, other), 4)} would have other columns "
            "than in the fit: fit the models that you want to compare, and use "
            "jaxglm.anova(m1, m2)."
        )


def _check_same(model: Model, held: Dataset, wider: Model, table: io.Table) -> None:
    """Refuse data in which the columns of the fit, or its response, are others."""
    assert wider.dataset is not None
    place = {name: j for j, name in enumerate(wider.names)}
    mine = np.array([place[name] for name in model.names])
    draw = np.random.default_rng(0).normal(size=mine.size)
    whole = np.zeros(len(wider.names))
    whole[mine] = draw
    one, other = held.columns.matvec(draw), wider.dataset.columns.matvec(whole)
    sizes = held.columns.absolute().matvec(np.abs(draw))
    live = held.rows.live
    same = bool((np.abs(one - other) <= _SAME * sizes)[live].all())
    if same and model.y_name in table.names and model.event is None and held.rows.trials is None:
        values = table.column(model.y_name).values
        if values is not None:
            y = np.asarray(values, float)
            y = y if held.kept is None else y[held.kept]
            same = bool((y == held.rows.y)[live].all())
    if not same:
        raise DataError(
            "data are not those of the fit: its columns or its response have other values there. "
            "Give the table that was fitted, in the same order."
        )

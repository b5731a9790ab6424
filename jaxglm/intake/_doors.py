"""Owns the way from what the user hands over to a problem: both doors meet here."""

import dataclasses
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import Design, assemble, from_matrix
from jaxglm.intake._choices import WEIGHTS, Given
from jaxglm.intake._dataset import Dataset
from jaxglm.intake._fingerprint import Fingerprint
from jaxglm.intake._model import Model
from jaxglm.intake._response import Checked, NamedResponse, check_response
from jaxglm.intake._vectors import check_representable, check_size, nonnegative, total_offset
from jaxglm.rows import Problem, UsedRows
from jaxglm.sources import Block, Rows

NO_WEIGHT = "All weights are zero: no row counts, so there is nothing to fit."


@dataclasses.dataclass(frozen=True)
class Intake:
    """A problem with the model it is of, and what has to be said about the data.

    `rows` are the positions of its rows in what the user gave; None if all are used. `cautions` are
    those of the notes that deserve a warning.
    """

    problem: Problem
    model: Model
    notes: tuple[str, ...]
    rows: np.ndarray | None
    cautions: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Encoded:
    """What a door made of what the user handed over, in the rows used.

    Attributes
    ----------
    design, order : Design, [p] int
        The columns, and the public position of each.
    names, terms : tuple
        As `Model` has them.
    response : NamedResponse or None
        None for one that is yet to be read.
    vectors : dict of [n] or None
        Weights and the like, by argument name.
    offset : [n] or None
        What the formula itself adds to the linear predictor.
    index, kept, n_given, fingerprint
        As `Dataset` has them.
    """

    design: Design
    order: np.ndarray
    names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]
    response: NamedResponse | None
    vectors: Mapping[str, np.ndarray | None]
    offset: np.ndarray | None
    index: Any
    kept: np.ndarray | None
    n_given: int
    fingerprint: Fingerprint | None = None

    @property
    def n_rows(self) -> int:
        return self.n_given if self.kept is None else self.kept.size


def table_intake(
    formula: str, data: Any, given: Given, responses: Sequence[str] | None = None
) -> Intake:
    """The intake of the formula door.

    With `responses`, columns that are yet to be read, the formula has no left side and the problem
    no response: zeros stand for it.
    """
    frame = io.model_frame(
        formula,
        data,
        missing=given.missing,
        extra=given.vectors,
        context=given.context,
        fits=given.fits,
        responses=responses,
    )
    design, order = assemble(frame.pieces, frame.n_rows)
    event = None if frame.y_levels is None else str(frame.y_levels[1])
    response = NamedResponse(frame.y, frame.trials, frame.y_name, event)
    intake = _intake(
        _Encoded(
            design=design,
            order=order,
            names=tuple(frame.names),
            terms=tuple(frame.terms),
            response=None if responses is not None else response,
            vectors=frame.extra,
            offset=frame.offset,
            index=frame.index,
            kept=frame.rows_kept,
            n_given=frame.n_rows_given,
        ),
        given,
    )
    model = dataclasses.replace(intake.model, formula=formula, spec=frame.spec)
    model = referring(model, data)
    notes = (*frame.notes, *intake.notes)
    cautions = (*frame.cautions, *intake.cautions)
    return dataclasses.replace(intake, model=model, notes=notes, cautions=cautions)


def referring(model: Model, data: Any) -> Model:
    """The model with a weak reference to the table of its rows, which keeps nothing alive."""
    assert model.dataset is not None
    try:
        table = weakref.ref(data)
    except TypeError:  # a dict, or the path of a file
        return model
    return dataclasses.replace(model, dataset=dataclasses.replace(model.dataset, table=table))


def array_intake(y: Any, X: Any, given: Given, index: Any = None) -> Intake:
    """The intake of the array door.

    Where `y` is None the problem has no response, as above; `index` are then its labels.
    """
    frame = io.read_arrays(y, X, given.vectors, missing=given.missing, fits=given.fits, index=index)
    design, order = from_matrix(frame.matrix)
    intake = _intake(
        _Encoded(
            design=design,
            order=order,
            names=frame.names,
            terms=tuple((name, slice(i, i + 1)) for i, name in enumerate(frame.names)),
            response=None if y is None else NamedResponse.read(frame.response, frame.y_name),
            vectors=frame.vectors,
            offset=None,
            index=frame.index,
            kept=frame.rows_kept,
            n_given=frame.n_rows_given,
            fingerprint=Fingerprint.of(frame.matrix) if frame.in_place else None,
        ),
        given,
    )
    return dataclasses.replace(intake, notes=(*frame.notes, *intake.notes))


def _intake(encoded: _Encoded, given: Given) -> Intake:
    if encoded.order.size == 0:
        raise DataError(
            "The model has no columns, not even an intercept: there is nothing to estimate."
        )
    rows, vectors, response = UsedRows(given.fits, encoded.kept), encoded.vectors, encoded.response

    def count_or_weight(name: str) -> np.ndarray | None:
        values = vectors.get(name)
        return None if values is None else nonnegative(values, name, rows)

    freq, prior = count_or_weight("freq_weights"), count_or_weight("var_weights")
    if response is None:
        found = Checked(np.zeros(encoded.n_rows), count_or_weight("trials"))
    else:
        found = check_response(
            response, vectors.get("trials"), given.family, rows, given.dtype, given.proportions
        )
    y, trials = found.y, found.trials
    weight, given_weights = np.ones(y.size), []
    for name, factor in (("freq_weights", freq), ("var_weights", prior), ("trials", trials)):
        if factor is not None:
            weight = weight * factor
            given_weights.append(name)
    if not (weight > 0).any():
        raise DataError(NO_WEIGHT)
    if given_weights:
        check_size(weight, " times ".join(given_weights), given.dtype, rows)
    offset = total_offset(encoded.offset, vectors, given.family, rows)
    check_representable(offset, "the offset", given.dtype, rows)
    block = Block(encoded.design, Rows(y, weight, offset, freq, trials))
    model = Model(
        names=encoded.names,
        terms=encoded.terms,
        family=given.family,
        formula=None,
        spec=None,
        y_name="" if response is None else response.name,
        event=None if response is None else response.event,
        used=frozenset(name for name in WEIGHTS if vectors.get(name) is not None),
        dataset=Dataset(
            block,
            encoded.order,
            # A view: the user may rename the labels of the table.
            None if encoded.index is None else encoded.index.view(),
            encoded.kept,
            encoded.n_given,
            encoded.fingerprint,
            in_place=encoded.fingerprint is not None,
            dtype=given.dtype,
        ),
    )
    problem = Problem.of_block(block, encoded.order, given.dtype)
    return Intake(problem, model, found.notes, encoded.kept, found.cautions)

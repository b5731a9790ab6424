"""Owns the way from a table or arrays to many responses on the same columns."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.intake._choices import Given
from jaxglm.intake._doors import NO_WEIGHT, Intake, array_intake, table_intake
from jaxglm.intake._model import Model
from jaxglm.intake._response import NamedResponse, check_response
from jaxglm.intake._trials import are_proportions
from jaxglm.rows import ALL_ROWS, ONE_FIT, Postponed, Replicas, UsedRows
from jaxglm.words import listed, repeated


@dataclasses.dataclass(frozen=True)
class ResponseIntake:
    """Replicas with the model they are of.

    Attributes
    ----------
    replicas : Replicas
        A response that failed stands there as zeros.
    model : Model
        What all responses share, with the rows.
    keys : Index
        The names of the responses.
    native : str
        Where the data live, as `io.Table.native`.
    notes : tuple of str
        On the data as a whole.
    own_notes : dict of tuple of str
        By response, what is to be said of it alone.
    cautions : tuple of str
        Those of the notes that deserve a warning.
    """

    replicas: Replicas
    model: Model
    keys: pd.Index
    native: str
    notes: tuple[str, ...]
    own_notes: dict[int, tuple[str, ...]]
    cautions: tuple[str, ...]


def table_responses(
    formula: str, data: Any, responses: Sequence[str], given: Given
) -> ResponseIntake:
    """The responses that are columns of a table, on the right side of a formula."""
    if isinstance(responses, str):
        responses = [responses]
    names = _distinct([str(name) for name in responses])
    table = io.read_table(data).load(names)
    for name in set(names) - set(table.names):
        table.native_named(name)  # says which names are near
    intake = table_intake(formula, table, given, names)
    several = _Several(names, lambda j: table.native_named(names[j]), table.n_rows, table.index)
    return _with_responses(intake, several, table.native, given)


def array_responses(Y: Any, X: Any, given: Given) -> ResponseIntake:
    """The responses that are columns of an array or a frame."""
    several = _columns(Y)
    own = getattr(X, "index", None) if hasattr(X, "iloc") else several.index
    intake = array_intake(None, X, given, several.index)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    several = several._replace(n=n, index=own)
    return _with_responses(intake, several, io.native_of(Y), given)


class _Several(NamedTuple):
    """Responses as the user has them: names, columns by position, rows and labels of the data."""

    names: list[str]
    column: Callable[[int], Any]
    n: int
    index: Any


def _columns(Y: Any) -> _Several:
    """Names and columns of what was given as responses."""
    if hasattr(Y, "tocsr"):
        raise DataError("the responses are a sparse matrix; give an array or a data frame")
    index = Y.index if hasattr(Y, "iloc") else None
    if isinstance(Y, pd.Series):
        Y = Y.to_frame("y1" if Y.name is None else Y.name)
    if io.is_table(Y):
        table = io.read_table(Y)
        return _Several(_distinct(list(table.names)), table.native_column, table.n_rows, index)
    array = Y if isinstance(Y, np.ma.MaskedArray) else np.asarray(Y)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(
            f"the responses have shape {array.shape}; one column per response is needed"
        )
    names = _distinct([f"y{j + 1}" for j in range(array.shape[1])])
    return _Several(names, lambda j: array[:, j], array.shape[0], None)


def _distinct(names: list[str]) -> list[str]:
    if not names:
        raise DataError("there is no response: name at least one column")
    twice = repeated(names)
    if twice is not None:
        raise DataError(f"the response {twice!r} is given twice")
    return names


class _Own(NamedTuple):
    """One response in the rows in use: its values, which rows it has (None: all), its words."""

    y: np.ndarray
    present: np.ndarray | None
    event: str | None
    notes: tuple[str, ...]
    cautions: tuple[str, ...]


def _with_responses(intake: Intake, several: _Several, native: str, given: Given) -> ResponseIntake:
    problem, names = intake.problem, several.names
    given = dataclasses.replace(given, proportions=_proportions(intake, several, given))
    y = np.zeros((len(names), len(problem.rows)))
    present: dict[int, np.ndarray] = {}
    events: dict[str, str] = {}
    own_notes: dict[int, tuple[str, ...]] = {}
    guessed: dict[str, tuple[str, ...]] = {}
    failed: dict[int, str] = {}
    for g, name in enumerate(names):
        try:
            own = _one(intake, several, g, given)
        except DataError as error:
            failed[g] = str(error)
            continue
        y[g] = own.y
        if own.present is not None:
            present[g] = own.present
        if own.event is not None:
            events[name] = own.event
        if own.notes:
            own_notes[g] = own.notes
        if own.cautions:
            guessed[name] = own.cautions
    if len(failed) == len(names):
        raise DataError(f"no response can be fitted; {names[0]!r}: {failed[0]}")
    if len(set(events.values())) > 1:
        told = ", ".join(f"{event!r} in {name!r}" for name, event in list(events.items())[:4])
        raise DataError(
            f"the responses hold different labels for the event ({told}); recode them to 0 and 1"
        )
    times = None
    if present:
        times = np.ones(y.shape, bool)
        for g, rows in present.items():
            times[g] = rows
    return ResponseIntake(
        replicas=Replicas(problem, y, times, failed),
        model=dataclasses.replace(intake.model, event=next(iter(events.values()), None)),
        keys=pd.Index(names, name="response", dtype=object),
        native=native,
        notes=intake.notes,
        own_notes=own_notes,
        cautions=(*intake.cautions, *_once(guessed)),
    )


def _once(guessed: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """The words of the first response, and of which others they hold."""
    if guessed:
        first, *others = guessed
        also = f" So it was with {listed(map(repr, others), 8)}." if others else ""
        yield " ".join(guessed[first]) + also


def _proportions(intake: Intake, several: _Several, given: Given) -> bool | None:
    """What all responses are beside trials: one with fractions tells that they are proportions."""
    if given.proportions is not None or intake.problem.rows.trials is None:
        return given.proportions
    for g in range(len(several.names)):
        with contextlib.suppress(DataError):  # said when the response itself is read
            y = _read(intake, several, g, given).y
            if are_proportions(y[~np.isnan(y)], ALL_ROWS):
                return True
    return None


def _read(intake: Intake, several: _Several, g: int, given: Given) -> io.Response:
    """One response in the rows in use, as it stands; what stands in others is no matter."""
    faults = Postponed()
    found = io.read_response(
        several.column(g),
        several.n,
        several.index,
        several.names[g],
        allow_missing=given.missing == "drop",
        fits=faults,
    )
    left_out = np.ones(several.n, bool)
    left_out[slice(None) if intake.rows is None else intake.rows] = False
    faults.settle(left_out)
    return found if intake.rows is None else found.take(intake.rows)


def _one(intake: Intake, several: _Several, g: int, given: Given) -> _Own:
    """One response, read and checked.

    Raises
    ------
    DataError
        Where it cannot be fitted.
    """
    problem, kept, name = intake.problem, intake.rows, several.names[g]
    found = _read(intake, several, g, given)
    trials, gaps = problem.rows.trials, io.missing_rows(found.y)
    notes: tuple[str, ...] = ()
    if gaps is not None:
        rows = np.flatnonzero(~gaps)
        if rows.size == 0:
            raise DataError(f"no row is complete: missing values in {name!r}")
        notes = (
            f"{int(gaps.sum())} of {gaps.size} rows were left out for missing values in {name!r}",
        )
        found, trials = found.take(rows), None if trials is None else trials[rows]
        kept = rows if kept is None else kept[rows]
    response = NamedResponse.read(found, name)
    checked = check_response(
        response,
        trials,
        intake.model.family,
        UsedRows(ONE_FIT, kept),
        problem.dtype,
        given.proportions,
    )
    if gaps is None:
        values, present = checked.y, None
    else:
        present = ~gaps
        if not problem.rows.live[present].any():
            raise DataError(NO_WEIGHT)
        # What stands in a row that is left out must be a value that the family can have.
        values = np.full(gaps.size, checked.y[0])
        values[present] = checked.y
    return _Own(values, present, response.event, (*notes, *checked.notes), checked.cautions)

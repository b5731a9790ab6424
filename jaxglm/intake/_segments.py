"""Owns the way from the user's rows to segments: the doors of a single fit, then rows in order."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.intake._choices import Given
from jaxglm.intake._doors import Intake, array_intake, referring, table_intake
from jaxglm.intake._model import Model
from jaxglm.rows import ManyFits, Segments, UsedRows


@dataclasses.dataclass(frozen=True)
class GroupIntake:
    """Segments with the model they are of.

    A segment that failed has no rows left, so that its values are nowhere looked at.

    Attributes
    ----------
    segments : Segments
    model : Model
        What all segments share, with the rows of all.
    keys : Index or MultiIndex
        One per segment, also of those without a row left.
    native : str
        Where the data live, as `io.Table.native`.
    notes : tuple of str
    cautions : tuple of str
        Those of the notes that deserve a warning.
    """

    segments: Segments
    model: Model
    keys: Any
    native: str
    notes: tuple[str, ...]
    cautions: tuple[str, ...]


def table_segments(formula: str, data: Any, by: str | Sequence[str], given: Given) -> GroupIntake:
    """The segments of a table by the values of its columns `by`.

    The formula is read once, for the whole table: the levels of a factor and what a transform
    learns (the knots of bs, the mean of center) are those of all segments together.
    """
    table = io.read_table(data)
    if not isinstance(by, str | list | tuple) or not all(isinstance(name, str) for name in by):
        raise DataError(
            f"by= must be the name of a column, or a list of names, not a {type(by).__name__}; for "
            "values themselves use GLM(y, X).fit_groups(groups)"
        )
    names = [by] if isinstance(by, str) else list(by)
    codes, keys = io.segments_of(table, names)
    fits = _fits(
        codes, keys, given.missing, lambda: {n: io.segments_of(table, [n])[0] for n in names}
    )
    intake = table_intake(formula, table, dataclasses.replace(given, fits=fits))
    intake = dataclasses.replace(intake, model=referring(intake.model, data))
    return _grouped(intake, fits, keys, table.native)


def array_segments(y: Any, X: Any, groups: Any, given: Given) -> GroupIntake:
    """The segments of arrays by `groups`: one value per row, or several in a frame or a list."""
    n = X.shape[0] if hasattr(X, "shape") else len(y)
    index = next((own.index for own in (X, y) if hasattr(own, "iloc")), None)
    codes, keys = io.groups_of(groups, n, index)
    fits = _fits(codes, keys, given.missing, lambda: {"groups": codes})
    intake = array_intake(y, X, dataclasses.replace(given, fits=fits))
    return _grouped(intake, fits, keys, io.native_of(X))


def _fits(
    codes: np.ndarray, keys: Any, missing: str, by_name: Callable[[], dict[str, np.ndarray]]
) -> ManyFits:
    """The fits of the segments; rows without a key are left out, or an error."""
    if codes.size == 0 or codes.min() >= 0:
        return ManyFits(codes, len(keys), {})
    gaps = {name: own < 0 for name, own in by_name().items() if (own < 0).any()}
    if missing == "raise":
        told = "; ".join(f"{name!r} in {io.rows_text(where)}" for name, where in gaps.items())
        raise DataError(
            f"rows without a segment: missing values in {told}; fill them in, remove those rows, "
            "or use missing='drop'"
        )
    return ManyFits(codes, len(keys), gaps)


def _grouped(intake: Intake, fits: ManyFits, keys: Any, native: str) -> GroupIntake:
    """The rows of an intake brought into the order of their segments."""
    problem, rows = intake.problem, intake.rows
    count, codes = len(keys), fits.codes if rows is None else fits.codes[rows]
    cautions = list(io.key_cautions(keys))
    live = problem.rows.live
    if not live.all():
        counted = np.bincount(codes[live], minlength=count) > 0
        UsedRows(fits, rows).refuse(
            ~counted[codes], lambda found: "all weights are zero: no row counts"
        )
    if fits.failed:
        sound = np.ones(count, bool)
        sound[list(fits.failed)] = False
        codes = np.where(sound[codes], codes, -1)
    order, starts = _order(codes, count)
    places = np.arange(codes.size) if order is None else order
    return GroupIntake(
        segments=Segments(
            problem,
            order,
            starts,
            places if rows is None else rows[places],
            dict(sorted(fits.failed.items())),
        ),
        model=intake.model,
        keys=keys,
        native=native,
        notes=(*cautions, *intake.notes),
        cautions=(*cautions, *intake.cautions),
    )


def _order(codes: np.ndarray, count: int) -> tuple[np.ndarray | None, np.ndarray]:
    """The rows by segment, each segment's in the order given, and where each segment starts.

    Rows of a negative code are left out; None stands for all rows as they are.
    """
    if (codes[1:] >= codes[:-1]).all() and (codes.size == 0 or codes[0] >= 0):
        return None, np.searchsorted(codes, np.arange(count + 1))
    import scipy.sparse

    placed = np.flatnonzero(codes >= 0) if codes.min() < 0 else None
    if placed is not None:
        codes = codes[placed]
    # The columns of an incidence matrix: a counting sort.
    ones = np.broadcast_to(np.int8(1), codes.size)
    begins = np.arange(codes.size + 1, dtype=np.int32 if codes.size < 2**31 else np.int64)
    sorted_ = scipy.sparse.csr_array((ones, codes, begins), shape=(codes.size, count)).tocsc()
    order = sorted_.indices if placed is None else placed[sorted_.indices]
    return order, sorted_.indptr.astype(np.int64)

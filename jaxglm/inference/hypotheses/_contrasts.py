"""Owns contrasts of a factor: which combinations of coefficients compare its levels.

The mean of a level is that of the linear predictor over a grid, as in R's emmeans (Searle, Speed
and Milliken 1980, Am. Stat. 34, 216-221): other factors count each of their levels equally, columns
of numbers stand at their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import assemble
from jaxglm.inference.hypotheses._combinations import Combinations, combinations_of
from jaxglm.intake import Columns, Model, as_sparse
from jaxglm.search import Fit
from jaxglm.words import FloatArray, is_one_of, near_text

KINDS = ("pairwise", "trt.vs.ctrl")
_MOST_CONTRASTS = 1_000_000
# Numbers of a chunk of contrasts written out: 32 MiB.
_CHUNK_NUMBERS = 1 << 22
# A contrast's coefficients sum to 0 up to this share of their sizes.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Contrasts:
    """Contrasts of the levels of a factor.

    Attributes
    ----------
    labels : tuple of str
    weights : sparse [m, k]
        Of the means of the k levels.
    means : sparse [k, p]
        Those as combinations of the coefficients, but for what all levels have in common.
    notes : tuple of str
        What they are averages over.
    """

    labels: tuple[str, ...]
    weights: Any
    means: Any
    notes: tuple[str, ...]

    def estimated(self, fit: Fit, names: Sequence[str]) -> tuple[FloatArray, FloatArray, list[str]]:
        """Estimates [m], standard errors [m], and why there is none."""
        step = max(1, _CHUNK_NUMBERS // len(names))
        parts: list[Combinations] = []
        for first in range(0, len(self.labels), step):
            rows = (self.weights[first : first + step] @ self.means).toarray()
            parts.append(combinations_of(fit, names, rows, strict=True))
        return (
            np.concatenate([part.estimate for part in parts]),
            np.concatenate([part.standard_errors for part in parts]),
            [reason for part in parts for reason in part.reasons],
        )


def contrasts_of(
    model: Model, factor: str, kind: Any, ref: Any, at: Mapping[str, Any] | None, ratio: bool
) -> Contrasts:
    """The contrasts that `Results.contrasts` is asked for.

    Raises
    ------
    DataError
        If there is no such factor, or contrasts depend on a mean that is not known.
    ValueError
        If kind, ref or at mean nothing here.
    """
    if model.spec is None:
        raise DataError(
            "contrasts() needs to know what the levels of a factor are, which a formula says: fit "
            "jaxglm.glm(formula, data), or compare coefficients by their names with t_test"
        )
    if not isinstance(factor, str):
        raise ValueError(f"factor is the name of a column, not {factor!r}")
    grid = io.level_grid(model.spec, factor)
    labels, weights = _weights(kind, ref, grid, " / " if ratio else " - ")
    held, notes = _held(model, grid, at or {})
    means = _means(grid, held)
    return Contrasts(labels, weights, means, notes)


def _means(grid: io.LevelGrid, held: Mapping[str, Any]) -> Any:
    """The averages over the grid, sparse [k, p]."""
    import scipy.sparse

    pieces, level = grid.pieces(held)
    design = as_sparse(Columns(*assemble(pieces, level.size), level.size))
    k = len(grid.levels)
    share = np.full(level.size, k / level.size)
    average = scipy.sparse.csr_array((share, (level, np.arange(level.size))), (k, level.size))
    return average @ design


def _held(
    model: Model, grid: io.LevelGrid, at: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values of columns that are held, and a sentence on what was not chosen by the user."""
    if not isinstance(at, Mapping):
        raise ValueError(f"at= is a dict of columns and their values, {{'x': 0.5}}, not {at!r}")
    known = grid.spec.columns()
    for name, value in at.items():
        if name not in known:
            raise ValueError(f"at=: the formula has no column {name!r}; {near_text(name, known)}")
        if name == grid.column:
            raise ValueError(f"at=: {name!r} is the factor whose levels are compared")
        if np.ndim(value) > 0:
            raise ValueError(f"at=: {name!r} is held at one value, and {value!r} is several")
        if name in grid.others and value not in grid.others[name]:
            near = near_text(str(value), map(str, grid.others[name]))
            raise ValueError(f"at=: {name!r} had no level {value!r} in the fit; {near}")
    held = {name: value for name, value in at.items() if name in (*grid.others, *grid.numbers)}
    means = {name: _mean_of(model, grid, name) for name in grid.numbers if name not in held}
    said = [
        f"over the levels of {name!r}, each counted equally"
        for name in grid.others
        if name not in held
    ]
    said += [f"at {name!r} = {value:.6g}, its mean" for name, value in means.items()]
    if not said:
        return held, ()
    note = (
        f"The effect of {grid.column!r} depends on other columns (interactions): the contrasts are "
        f"averages {' and '.join(said)}. Give at={{{_example(grid, means)}}} for others."
    )
    return held | means, (note,)


def _example(grid: io.LevelGrid, means: Mapping[str, float]) -> str:
    name = next((name for name in grid.others), None)
    if name is not None:
        return f"{name!r}: {grid.others[name][0]!r}"
    name = next(iter(means))
    return f"{name!r}: {means[name]:.3g}"


def _mean_of(model: Model, grid: io.LevelGrid, name: str) -> float:
    """The mean of a column of numbers over the observations of the fit."""
    term = io.term_of_column(grid.spec, name)
    if term is None or model.dataset is None:
        why = (
            "a result keeps what the formula makes of it only"
            if term is None
            else model.why_no_rows
        )
        raise DataError(
            f"the contrasts of {grid.column!r} depend on {name!r} (they interact), and its mean is "
            f"not known here: {why}. Give the value to compare at, at={{{name!r}: ...}}."
        )
    held = model.held("contrasts()")
    pick = np.zeros(len(model.names))
    pick[model.terms[term][1].start] = 1.0
    rows = held.rows
    count = rows.live if rows.freq is None else np.where(rows.live, rows.freq, 0.0)
    return float(np.average(held.columns.matvec(pick), weights=count))


def _weights(kind: Any, ref: Any, grid: io.LevelGrid, between: str) -> tuple[tuple[str, ...], Any]:
    """Names of the contrasts, and their weights of the levels, sparse [m, k]."""
    import scipy.sparse

    levels = [str(level) for level in grid.levels]
    k = len(levels)
    if k < 2:
        raise DataError(f"{grid.column!r} has one level only, {levels[0]!r}: nothing to compare")
    if not isinstance(kind, str):
        if ref is not None:
            raise ValueError('ref= belongs to kind="trt.vs.ctrl"')
        return _own_weights(kind, grid)
    if not is_one_of(kind, KINDS):
        raise ValueError(
            f"kind must be one of {', '.join(map(repr, KINDS))}, or a matrix of contrasts with a "
            f"column for each of the {k} levels; got {kind!r}"
        )
    if kind == "pairwise":
        if ref is not None:
            raise ValueError('ref= belongs to kind="trt.vs.ctrl"; "pairwise" compares all levels')
        if k * (k - 1) // 2 > _MOST_CONTRASTS:
            raise DataError(
                f"{k:,} levels make {k * (k - 1) // 2:,} pairs, more than the {_MOST_CONTRASTS:,} "
                'that are compared: kind="trt.vs.ctrl" compares each with one'
            )
        first, second = np.triu_indices(k, 1)
    else:
        base = _reference(ref, grid)
        first = np.delete(np.arange(k), base)
        second = np.full(k - 1, base)
    m = first.size
    rows = np.arange(m)
    entries = np.concatenate([np.ones(m), -np.ones(m)])
    places = (np.concatenate([rows, rows]), np.concatenate([first, second]))
    shown = [f"({level})" if set(level) & set("+-*/") else level for level in levels]
    names = tuple(f"{shown[i]}{between}{shown[j]}" for i, j in zip(first, second, strict=True))
    return names, scipy.sparse.csr_array((entries, places), (m, k))


def _reference(ref: Any, grid: io.LevelGrid) -> int:
    """The position of the level that others are compared with: by default that of the coding."""
    ref = grid.reference if ref is None else ref
    found = [i for i, level in enumerate(grid.levels) if ref == level or str(ref) == str(level)]
    if not found:
        near = near_text(str(ref), map(str, grid.levels))
        raise ValueError(f"ref={ref!r} is no level of {grid.column!r}; {near}")
    return found[0]


def _own_weights(kind: Any, grid: io.LevelGrid) -> tuple[tuple[str, ...], Any]:
    """A user's matrix over the levels, in their order or with columns of their names."""
    import scipy.sparse

    levels = [str(level) for level in grid.levels]
    names: list[str] = []
    if isinstance(kind, Mapping):
        kind = pd.DataFrame.from_dict(dict(kind), orient="index", columns=levels)
    if isinstance(kind, pd.DataFrame):
        names = [str(label) for label in kind.index]
        given = [str(column) for column in kind.columns]
        strange = [column for column in given if column not in levels]
        if strange and kind.columns.inferred_type == "string":
            raise ValueError(
                f"the matrix of contrasts has a column {strange[0]!r}, which is no level of "
                f"{grid.column!r}; {near_text(strange[0], levels)}"
            )
        if not strange:
            kind = kind.set_axis(given, axis=1).reindex(columns=levels, fill_value=0.0)
    try:
        weights = np.atleast_2d(np.asarray(kind, dtype=float))
    except (TypeError, ValueError):
        raise ValueError(f"a matrix of contrasts cannot be read from {kind!r}") from None
    if weights.ndim != 2 or weights.shape[1] != len(levels) or not len(weights):
        raise ValueError(
            f"a matrix of contrasts has a column for each of the {len(levels)} levels of "
            f"{grid.column!r} ({', '.join(levels[:6])}{', ...' if len(levels) > 6 else ''}); this "
            f"one is {' x '.join(map(str, weights.shape))}"
        )
    names = names or [f"C{i + 1}" for i in range(len(weights))]
    for name, own in zip(names, weights, strict=True):
        if not np.isfinite(own).all() or abs(own.sum()) > _ROUNDING * np.abs(own).sum():
            raise ValueError(
                f"the coefficients of the contrast {name!r} sum to {own.sum():.6g}, and those of a "
                "contrast sum to 0; for means of levels use get_prediction(data)"
            )
        if not own.any():
            raise ValueError(f"the contrast {name!r} compares nothing: all are 0")
    return tuple(names), scipy.sparse.csr_array(weights)

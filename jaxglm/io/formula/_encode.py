"""Owns the step from evaluated components to pieces: dense columns, and integer codes for factors.

No one-hot column is made for a factor: factor times factor is one combined code, factor times
numbers is a code and a multiplier.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jaxglm._status import DataError
from jaxglm.designs import DensePiece, FactorPiece
from jaxglm.designs._pieces import Piece
from jaxglm.io.formula._contrasts import EACH, TREATMENT, Contrast
from jaxglm.io.tables import Level

# A name for each column of an interaction takes 100 bytes and more; codings other than Treatment
# are a matrix (256 MB).
_MOST_CROSSED = 2_000_000
_MOST_ENTRIES = 2**25
# Rows of numeric columns that are set side by side at a time.
_ROWS_TOGETHER = 1 << 12


@dataclass(frozen=True)
class Component:
    """What is multiplied in terms, as the training data fixed it.

    Attributes
    ----------
    text, label : str
        The expression, and how names of columns show it.
    kind : "numeric", "bool" or "factor"
    width : int
        Number of columns of a numeric component.
    levels : tuple
        Levels of a factor (False and True for a bool).
    contrast : Contrast
    """

    text: str
    label: str
    kind: str
    width: int = 1
    levels: tuple[Level, ...] = ()
    contrast: Contrast = TREATMENT

    def column_labels(self) -> list[str]:
        """The names of the columns of a numeric component."""
        if self.width == 1:
            return [self.label]
        return [f"{self.label}[{j}]" for j in range(1, self.width + 1)]

    @property
    def reference(self) -> int:
        """The code of the reference level."""
        return self.contrast.reference_code(self.levels, self.label)

    def coding(self, *, reduced: bool) -> np.ndarray:
        """What the columns of a factor are to the effects of its levels, [levels, columns]."""
        n_levels = len(self.levels)
        if not reduced:
            return np.eye(n_levels)
        columns = self.contrast.columns(n_levels, self.label)
        if columns is not None:
            return columns
        return np.delete(np.eye(n_levels), self.reference, axis=1)

    def level_of_columns(self) -> np.ndarray:
        """The code of the level that each column of treatment coding is of; last, of no column."""
        others = np.delete(np.arange(len(self.levels), dtype=np.int32), self.reference)
        return np.append(others, np.int32(self.reference))


@dataclass(frozen=True, eq=False)
class Labelled:
    """A component in one term, and whether a level is lost: what names its columns."""

    component: Component
    reduced: bool


@dataclass(frozen=True, eq=False)
class Part(Labelled):
    """A component in one term with its values: numbers, or codes."""

    values: np.ndarray


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Numeric columns of a term on their way into a dense piece."""

    columns: list[np.ndarray]
    names: list[str]


def encode(terms: Sequence[Sequence[Part]], n_rows: int) -> tuple[list[Piece], list[int]]:
    """Pieces in the order of the terms, runs of numeric columns in one array each.

    Returns
    -------
    pieces : list of Piece
    widths : list of int
        The number of columns of each term.
    """
    pieces: list[Piece] = []
    run = _Numbers([], [])
    widths = []
    for parts in terms:
        width = 0
        for block in _encode_term(parts, n_rows):
            width += len(block.names)
            if isinstance(block, _Numbers):
                run.columns.extend(block.columns)
                run.names.extend(block.names)
                continue
            pieces.extend(_dense(run, n_rows))
            run = _Numbers([], [])
            pieces.append(block)
        widths.append(width)
    pieces.extend(_dense(run, n_rows))
    return pieces, widths


def _dense(run: _Numbers, n_rows: int) -> Iterator[DensePiece]:
    if run.names:
        values = np.empty((n_rows, len(run.names)))
        # Rows a few at a time: the whole of a column would go through memory for each.
        for start in range(0, n_rows, _ROWS_TOGETHER):
            rows = slice(start, start + _ROWS_TOGETHER)
            for j, column in enumerate(run.columns):
                values[rows, j] = column[rows]
        yield DensePiece(values, tuple(run.names))


def _encode_term(parts: Sequence[Part], n_rows: int) -> Iterator[_Numbers | FactorPiece]:
    if not parts:
        yield _Numbers([np.broadcast_to(1.0, n_rows)], list(term_names(parts)))
        return
    _check_size(parts)
    factors = [part for part in parts if part.component.kind == "factor" or not _is_number(part)]
    if not factors:
        yield _products(parts)
        return
    # Beside a factor a bool is a factor too: its level goes into the code, not the multiplier.
    numbers = [part for part in parts if part.component.kind == "numeric"]
    factors = [part for part in parts if part.component.kind != "numeric"]
    multipliers = _products(numbers).columns if numbers else [None]
    names = iter(term_names(parts))
    for multiplier in multipliers:
        yield _factor_piece(factors, multiplier, names)


def _is_number(part: Part) -> bool:
    return part.component.kind == "numeric" or (part.component.kind == "bool" and part.reduced)


def _products(parts: Sequence[Part]) -> _Numbers:
    """Products of numeric columns, the first component varying fastest."""
    columns: list[np.ndarray] = []
    for part in parts:
        values = part.values if part.values.ndim == 2 else part.values[:, None]
        own = [values[:, j] for j in range(values.shape[1])]
        if columns:
            own = [a * np.asarray(b, np.float64) for b in own for a in columns]
        columns = own
    return _Numbers(columns, list(term_names(parts)))


def _labels(part: Labelled) -> list[str]:
    component = part.component
    if component.kind == "numeric":
        return component.column_labels()
    if part.reduced:
        behind = component.contrast.labels(component.levels, component.reference)
    else:
        behind = [f"[{level}]" for level in component.levels]
    return [component.label + text for text in behind]


def term_names(parts: Sequence[Labelled]) -> Iterator[str]:
    """Names of a term's columns: factors vary faster than numbers, the first of each fastest."""
    if not parts:
        yield "Intercept"
        return
    if len(parts) == 1:  # a factor may have very many levels
        yield from _labels(parts[0])
        return
    slow_first = sorted(range(len(parts)), key=lambda i: (parts[i].component.kind != "numeric", -i))
    labels = [_labels(parts[i]) for i in slow_first]
    for combination in itertools.product(*labels):
        placed = dict(zip(slow_first, combination, strict=True))
        yield ":".join(placed[i] for i in range(len(parts)))


def _factor_piece(
    factors: Sequence[Part], multiplier: np.ndarray | None, names: Iterator[str]
) -> FactorPiece:
    # A copy: a numeric column is the user's own memory, which may change later.
    scale = None if multiplier is None else np.array(multiplier, dtype=np.float64)
    if any(part.reduced and part.component.contrast.kind != "treatment" for part in factors):
        codes, contrasts = _contrasted(factors)
        own = tuple(itertools.islice(names, contrasts.shape[1]))
        return FactorPiece(codes, scale, contrasts, len(contrasts), own)
    codes, width, spare = _combined(factors)
    own = tuple(itertools.islice(names, width))
    return FactorPiece(codes, scale, None, width + spare, own)


def _combined(factors: Sequence[Part]) -> tuple[np.ndarray, int, bool]:
    """Codes that number the columns; `width` stands for no column, where a level is a reference."""
    codes = np.zeros(1, np.int32)
    width = 1
    spare = False
    for part in factors:
        n_levels = len(part.component.levels)
        # Behind the levels of a random effect stands the code of those that the fit has not seen.
        unseen = part.component.contrast == EACH
        lookup = np.arange(n_levels + unseen, dtype=np.int32)
        lookup[n_levels:] = -1
        own_width = n_levels - part.reduced
        if part.reduced:
            reference = part.component.reference
            lookup[reference + 1 :] -= 1
            lookup[reference] = -1
        own = lookup[part.values.astype(np.int32, copy=False)]
        if len(codes) == 1 and width == 1:
            codes = own
        elif spare or part.reduced or unseen:
            codes = np.where((codes < 0) | (own < 0), np.int32(-1), codes + np.int32(width) * own)
        else:
            codes = codes + np.int32(width) * own
        width *= own_width
        spare = spare or part.reduced or unseen
    if spare:
        codes = np.where(codes < 0, np.int32(width), codes)
    return codes, width, spare


def _contrasted(factors: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Codes over all combinations of levels, and the Kronecker product of the codings."""
    codes = np.zeros(1, np.int32)
    matrix: np.ndarray = np.ones((1, 1))
    for part in factors:
        n_levels = len(part.component.levels)
        _check_matrix(matrix.size * n_levels * (n_levels - part.reduced), factors)
        own = part.component.coding(reduced=part.reduced)
        codes = codes + np.int32(len(matrix)) * part.values.astype(np.int32, copy=False)
        matrix = np.kron(own, matrix)
    return codes, matrix


def _check_size(parts: Sequence[Part]) -> None:
    """Refuse an interaction before its columns are made."""
    width = math.prod(
        max(part.component.width, len(part.component.levels) - part.reduced) for part in parts
    )
    if len(parts) > 1 and width > _MOST_CROSSED:
        raise DataError(
            f"the interaction {_label(parts)} has {width} columns, more than the {_MOST_CROSSED} "
            "that can be; merge levels"
        )


def _check_matrix(n_entries: int, factors: Sequence[Part]) -> None:
    if n_entries > _MOST_ENTRIES:
        raise DataError(
            f"the coding of {_label(factors)} is a matrix of {n_entries} numbers, more than the "
            f"{_MOST_ENTRIES} that can be; merge levels, or leave the coding at Treatment"
        )


def _label(parts: Sequence[Part]) -> str:
    return ":".join(part.component.label for part in parts)

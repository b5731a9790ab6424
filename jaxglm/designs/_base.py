"""Owns the contract of a design: what the columns look like inside a block of rows."""

import abc
from collections.abc import Iterator
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import computing
from jaxglm.algebra import Information
from jaxglm.designs._tiling import Tiling

# A leaf of a design: traced or on a device inside a fit, NumPy on the host before it is placed.
Leaf = Any


class Operator(abc.ABC):
    """Columns of a block of rows inside a program, known to the kernels through their products.

    Implementations are frozen dataclasses registered as pytrees. The verbs `matvec`, `rmatvec` and
    `gram` compute in the dtype of their argument: float32 columns are promoted tile by tile, never
    stored twice.
    """

    @property
    @abc.abstractmethod
    def n_columns(self) -> int:
        """Number of columns, p."""

    @abc.abstractmethod
    def matvec(self, b: jax.Array) -> jax.Array:
        """X b, for b of shape [p] or [p, k]."""

    @abc.abstractmethod
    def rmatvec(self, v: jax.Array) -> jax.Array:
        """X' v, for v of shape [n]."""

    @abc.abstractmethod
    def gram(self, w: jax.Array) -> Information:
        """X' diag(w) X, of shape [p, p], or `Bordered` where a factor has many levels."""

    @abc.abstractmethod
    def quick_gram(self, w: jax.Array) -> Information:
        """`gram(w)` in float32, from the fastest products that the device has for that."""

    @abc.abstractmethod
    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        """The diagonal of `gram(w)`, without the p x p matrix."""

    @abc.abstractmethod
    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        """The block as an [n, p] array: for small designs, factorisations and tests."""

    def total(self, values: jax.Array) -> jax.Array:
        """The sum over the rows of a vector [n]."""
        return jnp.sum(values)

    @property
    def n_eliminated(self) -> int:
        """The last so many columns are those of the diagonal in `Bordered`."""
        return 0

    @property
    def gram_cells(self) -> int:
        """Numbers that `gram` returns."""
        m = self.n_eliminated
        q = self.n_columns - m
        return q * q + q * m + m


class Design(Operator):
    """The columns of a block, also on the host, where its leaves are NumPy arrays.

    Array leaves have the rows as their leading axis, so that a block can be cut into tiles.
    """

    @property
    @abc.abstractmethod
    def numbers_per_row(self) -> int:
        """Numbers that stand for a row; what a row costs to hold."""

    def on_host(self) -> np.ndarray:
        """The block as an [n, p] array on the host, in float64 whatever the arithmetic of a fit."""
        with computing():
            return np.asarray(self.dense(np.float64))

    @abc.abstractmethod
    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The entries that may differ from 0, on the host: values, rows and columns, each [k]."""

    @abc.abstractmethod
    def largest(self) -> np.ndarray:
        """The largest absolute entry of each column, [p]."""

    @abc.abstractmethod
    def times(self, b: np.ndarray) -> np.ndarray:
        """X b on the host, [n], for b of shape [p]; in float64."""

    @abc.abstractmethod
    def times_rows(self, b: np.ndarray) -> np.ndarray:
        """Each row times a row of `b` [n, p] of its own: [n], in float64.

        Where an entry is zero, so is its product, whatever the coefficient: one of nan is missing
        only in rows that have a part in its column.
        """

    @abc.abstractmethod
    def absolute(self) -> Self:
        """The design of the absolute entries."""

    @abc.abstractmethod
    def take_columns(self, keep: np.ndarray) -> Self:
        """The design of the columns where `keep` ([p] bool) holds; factors stay factors."""

    @abc.abstractmethod
    def take_rows(self, rows: np.ndarray) -> Self:
        """The design of some rows, given by their positions."""

    @abc.abstractmethod
    def columns_at(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Columns one by one, [k] each: their entries in rows given by position; on the host."""

    @abc.abstractmethod
    def tiled(self, tiling: Tiling) -> Self:
        """The design on the device with a leading axis of tiles; padding rows are zero."""

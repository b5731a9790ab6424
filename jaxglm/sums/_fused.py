"""Owns the fused kernel: the sums of an iteration over dense rows, each row read once, for GPUs.

Only `_fastest` imports it, and only on an accelerator, since it loads Pallas.

XLA forms eta, the score and the Gram matrix in kernels of their own and so reads X several times a
pass. Here one program of a grid loads a chunk of rows, does all three, and goes on to the next
chunk. Programs run in parallel and in any order: each writes sums of its own, added up outside.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jax.extend.core import Jaxpr, jaxprs_in_params

from jaxglm.algebra import Bordered
from jaxglm.designs import Dense, Operator
from jaxglm.families import Family
from jaxglm.sources import Block, Rows, Tiles
from jaxglm.sources._tiles import lost_digits
from jaxglm.sums._moments import Moments
from jaxglm.sums._rowwise import Point, row_terms

# A Gram matrix of more columns does not stay in the registers of one program.
_MOST_COLUMNS = 128
# Some thirty programs for each multiprocessor of a large GPU; more would only write more sums.
_PROGRAMS = 4096
# Rows of a program for each column, at the least: its sums are then small against its rows.
_ROWS_PER_COLUMN = 32
# Elements of X that a program holds at a time: some sixteen registers of each thread.
_ELEMENTS = 4096


@dataclasses.dataclass(frozen=True)
class Fused:
    """The sums of `plain`, `quick_moments` or `full_moments` in float32, in one visit to the rows.

    Called with one block, as any kernel, or with all tiles at once, which a source prefers: a tile
    would have to be copied out first.

    Attributes
    ----------
    plain : kernel
        What a chunk of rows is summed with, and what serves the starts: they come once a fit, and
        ask for functions (quantiles, a mean over rows) that Pallas does not have.
    chunk : int, optional
        Rows loaded at a time, a power of two of 16 or more; by default what registers hold.
    interpret : bool
        Run in Python rather than compiled: for tests without a GPU.
    """

    plain: Callable[..., Moments]
    chunk: int | None = None
    interpret: bool = False

    def __call__(self, block: Block, family: Family, at: Point) -> Moments:
        return self.of_all_tiles(jax.tree.map(lambda leaf: leaf[None], block), family, at)

    def of_all_tiles(self, tiles: Block, family: Family, at: Point) -> Moments:
        """The sums over all rows of blocks with a leading axis of tiles."""
        # Rows of consecutive tiles are consecutive in memory: nothing is copied.
        block = jax.tree.map(lambda leaf: leaf.reshape((-1, *leaf.shape[2:])), tiles)
        return jax.lax.cond(
            at.start > 0,
            lambda: Tiles(tiles).reduce(self.plain, family, at),
            lambda: self._sums(block, family, at),
        )

    def _sums(self, block: Block, family: Family, at: Point) -> Moments:
        assert isinstance(block.design, Dense)
        x, dtype = block.design.values, at.beta.dtype
        n, p = x.shape
        width = max(pl.next_power_of_2(p), 16)  # the smallest that tensor cores multiply
        chunk = self.chunk or _ELEMENTS // width
        loops = max(pl.cdiv(n, chunk * _PROGRAMS), pl.cdiv(_ROWS_PER_COLUMN * width, chunk))
        loops = min(loops, pl.cdiv(n, chunk))
        programs = pl.cdiv(n, chunk * loops)

        # What the family and the point hold enters as inputs: a kernel has no constants of its own.
        leaves, structure = jax.tree.flatten((family, at._replace(beta=None, start=None)))
        scalars = [jnp.asarray(leaf).reshape(1) for leaf in leaves]
        vectors = [v for v in (block.rows.y, block.rows.weight, block.rows.offset) if v is not None]

        def kernel(beta_ref, x_ref, vector_refs, scalar_refs, *outputs) -> None:
            own_family, own_at = jax.tree.unflatten(structure, [ref[0] for ref in scalar_refs])
            own_at = own_at._replace(beta=beta_ref[...], start=0)
            first_row = pl.program_id(0) * np.int32(chunk * loops)
            columns = jax.lax.iota(np.int32, width) < p

            def visit(i: jax.Array, carry):
                at_row = i * np.int32(chunk)
                rows = pl.ds(at_row, chunk)
                inside = first_row + at_row + jax.lax.iota(np.int32, chunk) < n
                in_x = inside[:, None] & columns[None, :]
                loaded_x = triton.load(x_ref.at[rows, pl.ds(0, width)], mask=in_x, other=0.0)
                # Rows beyond the last get weight 0, which is what leaves any row out.
                y, weight, *offset = (
                    triton.load(ref.at[rows], mask=inside, other=other)
                    for ref, other in zip(vector_refs, (1.0, 0.0, 0.0), strict=False)
                )
                loaded = Block(_Loaded(loaded_x), Rows(y, weight, *offset))
                loss, loss_size, score, info, pearson, rounding = self.plain(
                    loaded, own_family, own_at
                )
                assert not isinstance(info, Bordered)  # of factors, which are not fused
                terms = (loss, loss_size, score, pearson, rounding)
                total, lost, total_info = carry
                new = jax.tree.map(jnp.add, total, terms)
                if lost is not None:
                    lost = jax.tree.map(lost_digits, lost, total, terms, new)
                return new, lost, total_info + info.astype(jnp.float32)

            zero = jnp.zeros((), dtype)
            zeros = (zero, zero, jnp.zeros(width, dtype), zero, zero)
            # Sums in float32 are compensated from chunk to chunk, as those of tiles are.
            lost = zeros if dtype == jnp.float32 else None
            start = (zeros, lost, jnp.zeros((width, width), jnp.float32))
            total, lost, info = jax.lax.fori_loop(np.int32(0), np.int32(loops), visit, start)
            if lost is not None:
                total = jax.tree.map(jnp.add, total, lost)
            for ref, value in zip(outputs, (*total[:3], info, *total[3:]), strict=True):
                ref[...] = value

        def same(*shape: int) -> pl.BlockSpec:
            return pl.BlockSpec(shape, lambda i: (0,) * len(shape))

        def share(*columns: int) -> pl.BlockSpec:
            return pl.BlockSpec((chunk * loops, *columns), lambda i: (i, *(0 for _ in columns)))

        shapes = {"score": (width,), "info": (width, width)}
        outputs = [shapes.get(name, ()) for name in Moments._fields]
        parts = pl.pallas_call(
            kernel,
            grid=(programs,),
            in_specs=[
                same(width),
                share(width),
                [share() for _ in vectors],
                [same(1) for _ in scalars],
            ],
            out_specs=[
                pl.BlockSpec((None, *shape), lambda i, shape=shape: (i, *(0 for _ in shape)))
                for shape in outputs
            ],
            out_shape=[
                jax.ShapeDtypeStruct((programs, *shape), jnp.float32 if len(shape) == 2 else dtype)
                for shape in outputs
            ],
            compiler_params=triton.CompilerParams(num_warps=max(4, width // 8)),
            interpret=self.interpret,
        )(jnp.pad(at.beta, (0, width - p)), x, vectors, scalars)
        # A reduction on a GPU is a tree: in float32 it loses no more digits than a compensated sum.
        loss, loss_size, score, info, *others = (
            jnp.sum(part.astype(dtype), axis=0) for part in parts
        )
        return Moments(loss, loss_size, score[:p], info[:p, :p], *others)


# What Triton has for each row: sums over rows, loops, callbacks and log Gamma are not among it.
# fmt: off
_ELEMENTWISE = frozenset({
    "abs", "add", "add_any", "and", "asin", "asinh", "atan", "atan2", "broadcast_in_dim",
    "cbrt", "ceil", "clamp", "convert_element_type", "copy", "cos", "cosh", "div", "eq",
    "erf_inv", "exp", "exp2", "expm1", "floor", "ge", "gt", "integer_pow", "is_finite", "le",
    "log", "log1p", "logistic", "lt", "max", "min", "mul", "ne", "neg", "not", "or", "pow",
    "rsqrt", "select_n", "sign", "sin", "sinh", "sqrt", "square", "stop_gradient", "sub", "tan",
    "tanh", "xor",
})
# fmt: on


def can_fuse(tiles: Tiles, family: Family, at: Point) -> bool:
    """Whether the kernel can be written for these rows: dense, not too wide, and elementwise."""
    block = tiles.block
    if not isinstance(block.design, Dense) or at.beta.size > _MOST_COLUMNS:
        return False
    if block.design.values.dtype not in (np.float32, np.float64):
        return False
    if any(np.ndim(leaf) for leaf in jax.tree.leaves(family)):
        return False

    def rows(family: Family, at: Point, y: jax.Array):
        return row_terms(family, y, y, y, y, at._replace(start=0))

    y = jax.ShapeDtypeStruct((16,), at.beta.dtype)
    program = jax.make_jaxpr(rows)(family, at._replace(beta=None), y)
    return not program.consts and _elementwise(program.jaxpr)


def _elementwise(program: Jaxpr) -> bool:
    for step in program.eqns:
        inner = list(jaxprs_in_params(step.params))
        if inner and step.primitive.name not in ("jit", "custom_jvp_call"):
            return False
        if not inner and step.primitive.name not in _ELEMENTWISE:
            return False
        if not all(_elementwise(part) for part in inner):
            return False
    return True


@dataclasses.dataclass(frozen=True)
class _Loaded(Operator):
    """A chunk of X inside the kernel, its products written as Triton has them.

    Products with vectors are sums over an axis: Triton multiplies matrices only.
    """

    values: jax.Array

    @property
    def n_columns(self) -> int:
        return self.values.shape[1]

    def matvec(self, b: jax.Array) -> jax.Array:
        return jnp.sum(self.dense(b.dtype) * b[None, :], axis=1)

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return jnp.sum(self.dense(v.dtype) * v[:, None], axis=0)

    def gram(self, w: jax.Array) -> jax.Array:
        return self._gram(w, jax.lax.Precision.HIGHEST)

    def quick_gram(self, w: jax.Array) -> jax.Array:
        return self._gram(w.astype(jnp.float32), jax.lax.Precision.DEFAULT)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        x = self.dense(w.dtype)
        return jnp.sum((w[:, None] * x) * x, axis=0)

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self.values.astype(dtype)

    def _gram(self, w: jax.Array, precision: jax.lax.Precision) -> jax.Array:
        x = self.dense(w.dtype)
        return jnp.dot((x * w[:, None]).T, x, precision=precision)

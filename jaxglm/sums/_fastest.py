"""Owns the choice of a kernel on an accelerator: by its sums first, then by its time there.

On a CPU nothing is tried.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxglm.families import Family
from jaxglm.sources import Tiles, one_pass
from jaxglm.sums._moments import Moments, full_moments, quick_moments
from jaxglm.sums._rowwise import Point

Kernel = Callable[..., Moments]

# With fewer products a pass takes too little for the choice to be worth compiling two programs.
_LEAST_WORK = 1e10
_TIMED_PASSES = 3
# Entries of an information matrix scaled to unit diagonal may differ by what TF32 rounds, 2^-11 of
# each factor; other sums by this multiple of the rounding of the fit's dtype.
_TF32 = 2e-3
_ROUNDING = 1e4

_remembered: dict[Any, Kernel] = {}


def fastest_kernel(plain: Kernel, tiles: Tiles, family: Family, at: Point) -> Kernel:
    """`plain`, or on an accelerator the fused kernel where that has the same sums in less time.

    The two are timed once in a process for each device, shape and family.

    Parameters
    ----------
    plain : kernel
        `quick_moments`, or `full_moments` in float32: with full sums in float64 there is no choice.
    tiles : Tiles
        The rows, placed.
    family : Family
        With all parameters known.
    at : Point
        A start.
    """
    device = _device(tiles)
    if device is None or device.platform == "cpu":
        return plain
    float32 = at.beta.dtype == np.float32
    work = tiles.block.rows.y.size * float(at.beta.size) ** 2
    if work < _LEAST_WORK or not (plain is quick_moments or (float32 and plain is full_moments)):
        return plain
    try:
        from jaxglm.sums._fused import Fused, can_fuse
    except ImportError:  # a jax without Pallas's Triton backend, which is deprecated
        return plain
    if not can_fuse(tiles, family, at):
        return plain
    leaves, structure = jax.tree.flatten(tiles.block)
    shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    key = (device.device_kind, plain, structure, shapes, jax.tree.structure(family), at.beta.dtype)
    if key not in _remembered:
        _remembered[key] = fastest((plain, Fused(plain)), tiles, family, at)
    return _remembered[key]


def _device(tiles: Tiles) -> Any:
    """The one device that holds the rows; None where there are several, or they are NumPy's."""
    arrays = (leaf for leaf in jax.tree.leaves(tiles.block) if isinstance(leaf, jax.Array))
    first = next(arrays, None)
    devices = set() if first is None else first.devices()
    return next(iter(devices)) if len(devices) == 1 else None


def fastest(
    kernels: Sequence[Kernel],
    tiles: Tiles,
    family: Family,
    at: Point,
    clock: Callable[[], float] = time.perf_counter,
) -> Kernel:
    """The fastest of the kernels whose sums are those of the first, which is taken to be right.

    `at` is a start; sums are compared, and passes timed, one Newton step from there, where no sum
    is zero by symmetry. A kernel that fails, in compilation or in running, is passed over.
    """
    first, *others = kernels
    start = jax.device_get(one_pass(tiles, family, at, kernel=first))
    if not (np.isfinite(start.info).all() and np.isfinite(start.score).all()):
        return first
    step = np.linalg.lstsq(start.info, -start.score)[0].astype(at.beta.dtype)
    at = at._replace(beta=step, start=np.int32(0))

    def both_curvatures(kernel: Kernel) -> list[Moments]:
        points = (at._replace(observed=np.bool_(observed)) for observed in (False, True))
        return [jax.device_get(one_pass(tiles, family, p, kernel=kernel)) for p in points]

    right = both_curvatures(first)
    best, shortest = first, _seconds(first, tiles, family, at, clock)
    for kernel in others:
        try:
            found = both_curvatures(kernel)
            seconds = _seconds(kernel, tiles, family, at, clock)
        except Exception:  # whatever a compiler raises: the first kernel is there
            continue
        if all(map(same_sums, right, found)) and seconds < shortest:
            best, shortest = kernel, seconds
    return best


def _seconds(
    kernel: Kernel, tiles: Tiles, family: Family, at: Point, clock: Callable[[], float]
) -> float:
    """The shortest of a few passes of a program that is compiled already."""
    times = []
    for _ in range(_TIMED_PASSES):
        start = clock()
        jax.block_until_ready(one_pass(tiles, family, at, kernel=kernel))
        times.append(clock() - start)
    return min(times)


def same_sums(right: Moments, found: Moments) -> bool:
    """Whether sums agree up to rounding, and their information up to that of TF32."""
    eps = _ROUNDING * float(np.finfo(right.score.dtype).eps)
    lengths = np.sqrt(np.abs(np.diag(right.info)))
    # By Cauchy and Schwarz, the largest sum of sizes that a score can be the rounded sum of.
    score_size = lengths * np.sqrt(np.abs(right.pearson))

    def close(name: str, size: Any, tolerance: float) -> bool:
        wanted, seen = getattr(right, name), getattr(found, name)
        return bool(np.all(np.abs(seen - wanted) <= tolerance * size))  # nan is not close

    return (
        close("loss", right.loss_size, eps)
        and close("score", score_size, eps)
        and close("info", np.outer(lengths, lengths), _TF32)
        and all(close(name, getattr(right, name), eps) for name in ("loss_size", "pearson"))
        and close("rounding", right.rounding, eps)
    )

"""Owns what the machine itself can do: copy bandwidth and matrix rate; and what a pass must cost.

Both are measured with NumPy and with JAX, and the better of the two counts: the bar is the
hardware, not one library's use of it.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.spec import Spec

REPEATS = 5


def measure(small: bool) -> dict[str, Any]:
    """Bytes per second of a copy (read and written both count), and operations per second of X'X.

    Parameters
    ----------
    small : bool
        Small arrays, for a test of the harness: not numbers to publish.
    """
    import jax
    import jax.numpy as jnp

    # Beyond any cache: a GPU's holds tens of megabytes.
    large = 1 << 30 if jax.default_backend() == "gpu" else 1 << 28
    size = 1 << 21 if small else large
    side = 256 if small else 2048

    def done(program: Any, *operands: Any) -> None:
        program(*operands).block_until_ready()

    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    with jax.enable_x64(True):
        add = jax.jit(lambda v: v + 1.0)
        square = jax.jit(lambda m: jnp.matmul(m.T, m, precision="highest"))
        source = np.ones(size // 8)
        on_device = jnp.asarray(source)
        answer: dict[str, Any] = {
            "copy_bytes_per_second": {
                "numpy": 2 * size / _best(_threaded_copy(source, threads)),
                "jax": 2 * size / _best(partial(done, add, on_device)),
            },
            "flops_per_second": {},
            "device": {
                "platform": jax.devices()[0].platform,
                "kind": jax.devices()[0].device_kind,
            },
        }
        for dtype in ("float32", "float64"):
            host = np.random.default_rng(0).standard_normal((side, side)).astype(dtype)
            device = jnp.asarray(host)
            # NumPy may use the symmetry of X'X; two different operands have to be multiplied.
            other = host[:, ::-1].copy()
            answer["flops_per_second"][dtype] = {
                "numpy": 2 * side**3 / _best(partial(np.matmul, host.T, other)),
                "jax": 2 * side**3 / _best(partial(done, square, device)),
            }
    return answer


def _best(action: Callable[[], Any]) -> float:
    action()
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def _threaded_copy(source: np.ndarray, threads: int) -> Callable[[], None]:
    target = np.empty_like(source)
    pool = ThreadPoolExecutor(threads)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))

    def copy() -> None:
        # NumPy copies outside the interpreter's lock.
        list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), parts))

    return copy


def pass_cost(spec: Spec) -> tuple[float, float]:
    """Bytes that one visit to the rows has to read, and operations that it has to do.

    Per row: its k entries that are not zero enter a symmetric X'WX (k^2 operations, half of the
    products being the same as the others), X b and X'v (4 k). Factors are read as 4-byte codes.
    """
    k = spec.parts_per_row
    if spec.door == "arrays":
        width = k * np.dtype(spec.dtype).itemsize
    else:
        width = 8 * len(spec.numeric) + 4 * len(spec.factors) + 8 * spec.has_exposure
    return float(spec.n * (width + 8)), float(spec.n * (k * k + 4 * k))


def distance(
    spec: Spec, seconds: float, passes: int | None, precision: str, measured: dict[str, Any]
) -> float | None:
    """Time over passes x max(bytes / bandwidth, operations / rate): 1 is the hardware's limit.

    The rate is that of the precision in which the library calculates, not of the data.
    """
    if not passes:
        return None
    nbytes, flops = pass_cost(spec)
    bandwidth = max(measured["copy_bytes_per_second"].values())
    rate = max(measured["flops_per_second"][precision].values())
    return seconds / (passes * max(nbytes / bandwidth, flops / rate))

"""Owns what an adapter is: the few methods through which the worker drives a library.

Imports the standard library at the top and nothing else: the time an adapter takes to import its
library is measured. Peers come in through `importlib`, since none of them needs to be installed.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.spec import Spec

T = TypeVar("T")


@dataclass
class Solution:
    """What a fit leaves: coefficients in the problem's order, or its linear predictor.

    `errors` are the standard errors in the order of the coefficients, nan where the library makes
    none; `shape` is the alpha of a negative binomial fit that estimates it, where it is told.

    Of many fits, `beta` has a row for each segment, nan where the library itself says that there is
    no ordinary optimum. One that fitted only some names them in `segments`, and their `share` of
    all: its times are divided by that.

    `passes` counts visits to the rows (iterations, where a library tells only those); `stages` are
    seconds of parts of this fit. `seconds` replaces what the worker's clock says of a warm
    fit, for a library that runs in a process of its own.
    """

    beta: "np.ndarray | None" = None
    eta: "np.ndarray | None" = None
    errors: "np.ndarray | None" = None
    shape: "float | np.ndarray | None" = None
    passes: int | None = None
    stages: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    segments: "np.ndarray | None" = None
    share: float = 1.0

    @property
    def standard_errors(self) -> str:
        """Whether there are standard errors for the coefficients: "all", "partial" or "none"."""
        import numpy as np

        if self.errors is None:
            return "none"
        wanted = np.True_ if self.beta is None else np.isfinite(self.beta)
        return "all" if (np.isfinite(self.errors) | ~wanted).all() else "partial"


class Library:
    """One way to fit; a subclass for each, in a file of its own.

    Attributes
    ----------
    packages : distributions whose versions a results line records
    default : the library's own default tolerance, None where it has none
    tight : a tolerance at which it should reach the optimum
    ladder : tolerances from loose to tight, searched for the loosest that passes the gate
    gated : whether the accuracy gate applies (not to the null model)
    keeps_programs : whether JAX's persistent compilation cache, filled by an untimed run, is on
    device : "cpu" for a run on the CPU beside those on an accelerator, None for the benchmark's own
    by_segment : whether it is measured on problems of many fits
    loops : whether it fits segments one at a time; it is then run with one thread
    """

    packages: ClassVar[Sequence[str]] = ()
    default: ClassVar[float | None] = None
    tight: ClassVar[float | None] = None
    ladder: ClassVar[Sequence[float]] = ()
    gated: ClassVar[bool] = True
    keeps_programs: ClassVar[bool] = False
    device: ClassVar[str | None] = None
    by_segment: ClassVar[bool] = False
    loops: ClassVar[bool] = False

    def precision(self, spec: "Spec") -> str:
        """The type that it calculates in, whatever the data are held in."""
        return "float64"

    def obstacle(self, spec: "Spec") -> str | None:
        """Why this library cannot fit this problem, or None."""
        return None

    def load(self) -> None:
        """Import the library: the time is measured."""

    def ready(self, data: "Data") -> None:
        """Make what the library is handed, where that is not the table: no time is measured."""

    def solve(self, data: "Data", tolerance: float | None) -> Solution:
        """From the data as handed in to coefficients on the host: the time is measured."""
        return (self.fit_segments if data.spec.segments else self.fit)(data, tolerance)

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        """One fit of all rows."""
        raise NotImplementedError

    def fit_segments(self, data: "Data", tolerance: float | None) -> Solution:
        """A fit of each segment, with standard errors."""
        raise NotImplementedError

    def staged(self, data: "Data", tolerance: float | None) -> dict[str, float]:
        """Seconds of the parts of one more fit, where they can only be had by looking inside."""
        return {}

    def child_peak(self) -> int | None:
        """Peak bytes of the process that does the work, where it is not this one."""
        return None


def timed(action: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    value = action()
    return value, time.perf_counter() - start


def dense_obstacle(spec: "Spec", copies: float) -> str | None:
    """Why a dense X of float64, so many times over, does not fit into this machine, or None."""
    needed = copies * 8 * spec.n * spec.p
    free = available_memory()
    if needed <= 0.7 * free:
        return None
    return f"needs a dense X: {needed / 2**30:.0f} GiB of {free / 2**30:.0f} GiB free"


def square_obstacle(spec: "Spec", copies: float = 3) -> str | None:
    """Why p x p matrices do not fit into this machine, or None."""
    needed = copies * 8 * spec.p**2
    if needed <= 0.7 * available_memory():
        return None
    return f"needs p x p matrices: {needed / 2**30:.0f} GiB"


def available_memory() -> int:
    """Bytes that can be had now; the machine's memory where it does not tell."""
    try:
        with open("/proc/meminfo") as lines:
            for line in lines:
                if line.startswith("MemAvailable"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def as_float(values: Any) -> "np.ndarray":
    import numpy as np

    return np.asarray(values, float).ravel()

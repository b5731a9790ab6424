"""A library that fits one model at a time, on many segments: a loop over arrays made before.

The loop is as fast as it can be written for the library: the segments are cut into arrays before
the clock starts, and no thread waits for another at every small product. It takes the segments in
a shuffled order and ends after `LOOP_SECONDS`; what is then left out is made up for by the share of
the segments that were fitted.
"""

import time
import warnings
from typing import TYPE_CHECKING, ClassVar

from benchmarks.libraries.base import Library, Solution

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

LOOP_SECONDS = 120.0


class Loop(Library):
    by_segment: ClassVar[bool] = True
    loops: ClassVar[bool] = True

    def ready(self, data: "Data") -> None:
        if data.spec.segments:
            _ = data.parts

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> "np.ndarray | None":
        """Coefficients of one segment, its standard errors computed; None without convergence."""
        raise NotImplementedError

    def fit_segments(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        spec, parts = data.spec, data.parts
        beta = np.full((len(parts), spec.p), np.nan)
        done, end = 0, time.perf_counter() + LOOP_SECONDS
        with warnings.catch_warnings():
            # Whether they converged is for the gate to say.
            warnings.simplefilter("ignore")
            for part in parts:
                try:
                    found = self.fit_part(part, spec, tolerance)
                except Exception:  # whatever it raises: this segment has no answer
                    found = None
                if found is not None:
                    beta[done] = found
                done += 1
                if time.perf_counter() > end:
                    break
        return Solution(
            beta[:done],
            standard_errors=True,
            segments=np.array([part.segment for part in parts[:done]]),
            share=done / spec.segments,
        )

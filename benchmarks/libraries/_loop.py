"""A library that fits one model at a time, on many segments: a loop over arrays.

The loop is as fast as it can be written for the library: the segments are cut into arrays before
the clock starts (unless it is `from_frame`), and no thread waits for another at every small
product. It takes the segments in a shuffled order and ends after `LOOP_SECONDS`; what is then left
out is made up for by the share of the segments that were fitted.
"""

import time
import warnings
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from benchmarks.libraries.base import Library, Solution

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

LOOP_SECONDS = 120.0


class Fitted(NamedTuple):
    """What a library says of one segment."""

    beta: "np.ndarray"
    errors: "np.ndarray"
    shape: float = float("nan")


class Loop(Library):
    """A library with `fit_part`.

    Attributes
    ----------
    from_frame : whether cutting the table into segments is part of the job; such a loop is not cut
        short, since what it fits may take less time than what is done for all
    """

    by_segment: ClassVar[bool] = True
    loops: ClassVar[bool] = True
    from_frame: ClassVar[bool] = False

    def ready(self, data: "Data") -> None:
        if data.spec.segments and not self.from_frame:
            _ = data.parts

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        """Coefficients and standard errors of one segment; None without convergence."""
        raise NotImplementedError

    def fit_segments(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        spec = data.spec
        parts = cut(data) if self.from_frame else data.parts
        beta = np.full((len(parts), spec.p), np.nan)
        errors, shape = beta.copy(), beta[:, 0].copy()
        done, end = 0, time.perf_counter() + LOOP_SECONDS
        with warnings.catch_warnings():
            # Whether they converged is for the gate to say.
            warnings.simplefilter("ignore")
            for part in parts:
                try:
                    found = self.fit_part(part, spec, tolerance)
                except Exception:  # whatever it raises: this segment has no answer
                    found = None
                # Without standard errors there is no ordinary optimum either.
                if found is not None and np.isfinite(found.errors).all():
                    beta[done], errors[done], shape[done] = found
                done += 1
                if time.perf_counter() > end and not self.from_frame:
                    break
        return Solution(
            beta[:done],
            errors=errors[:done],
            shape=shape[:done] if spec.estimates_shape else None,
            segments=np.array([part.segment for part in parts[:done]]),
            share=done / spec.segments,
        )


def cut(data: "Data") -> "list[Part]":
    """The segments of the table as arrays, by the quickest way in pandas and NumPy."""
    import numpy as np

    from benchmarks.segments import Part

    spec, frame = data.spec, data.frame
    keys = frame.groupby(list(spec.by), observed=True, sort=True).ngroup().to_numpy()
    order = np.argsort(keys)
    ends = np.cumsum(np.bincount(keys)).tolist()
    X = np.ones((keys.size, spec.p))
    for j, name in enumerate(spec.numeric, 1):
        X[:, j] = frame[name].to_numpy()[order]
    y = data.y[order]
    offset = np.log(frame["exposure"].to_numpy())[order] if spec.has_exposure else None
    found, start = [], 0
    for segment, end in enumerate(ends):
        rows = slice(start, end)
        found.append(Part(segment, y[rows], X[rows], None if offset is None else offset[rows]))
        start = end
    return found

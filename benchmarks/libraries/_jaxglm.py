"""jaxglm, through its public door; the stages by timing two of its inner steps.

`jaxglm-compiled` finds its programs in its cache, as the second process of a user does; for
the small problems, where compilation is most of a cold start.
`jaxglm-float32` asks for float32 arithmetic; only problems held in float32 are given to it.
`jaxglm-cpu` runs on the CPU whatever the benchmark's device: what an accelerator is compared with.
"""

import contextlib
import importlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, as_float, timed

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec


class JaxGlm(Library):
    packages = ("jaxglm", "jax", "jaxlib", "numpy")
    dtype = "float64"
    by_segment = True

    def load(self) -> None:
        self.jg = importlib.import_module("jaxglm")
        importlib.import_module("jax").devices()

    def precision(self, spec: "Spec") -> str:
        return self.dtype

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        spec, (family, link) = data.spec, self._family(data.spec)
        options: dict[str, Any] = {"tol": tolerance, "dtype": self.dtype}
        if spec.door == "arrays":
            result = self.jg.GLM(data.y, data.matrix, family, link=link).fit(**options)
        else:
            if spec.has_exposure:
                options["exposure"] = "exposure"
            result = self.jg.glm(spec.formula, data.frame, family, link=link, **options)
        if spec.summary:
            str(result.summary())
        return Solution(
            result.fit.coef,
            errors=as_float(result.bse),
            shape=float(result.family.alpha) if spec.estimates_shape else None,
            passes=int(result.fit.turns),
        )

    def fit_segments(self, data: "Data", tolerance: float | None) -> Solution:
        spec, (family, link) = data.spec, self._family(data.spec)
        options: dict[str, Any] = {"tol": tolerance, "dtype": self.dtype, "on_failure": "ignore"}
        options["link"] = link
        if spec.has_exposure:
            options["exposure"] = "exposure"
        by = spec.by[0] if len(spec.by) == 1 else list(spec.by)
        fits, fit = timed(
            lambda: self.jg.fit_groups(spec.formula, data.frame, by, family, **options)
        )
        _, tidy = timed(fits.tidy)
        params = fits.params
        beta = params.to_numpy(copy=True)
        beta[params.index.get_indexer(fits.failed.index)] = float("nan")
        return Solution(
            beta,
            errors=fits.bse.to_numpy(),
            shape=fits.glance()["alpha"].to_numpy() if spec.estimates_shape else None,
            stages={"fit": fit, "tidy": tidy},
        )

    def _family(self, spec: "Spec") -> tuple[Any, str | None]:
        """Family and link; the families that are objects have the log link of their own."""
        if spec.family == "tweedie":
            return self.jg.Tweedie(spec.power), None
        if spec.family == "negative_binomial":
            return self.jg.NegativeBinomial(spec.shape), None
        return spec.family, spec.link

    def staged(self, data: "Data", tolerance: float | None) -> dict[str, float]:
        """Encode (read, check, code the table), transfer (cut and place the rows), solve.

        Those of segments are taken during the timed fits.
        """
        if data.spec.segments:
            return {}
        resident = importlib.import_module("jaxglm.sources._resident")
        clock = {"encode": 0.0, "transfer": 0.0}
        arrays = data.spec.door == "arrays"
        verbs = importlib.import_module(f"jaxglm.verbs.{'_arrays' if arrays else '_glm'}")
        door = "array_intake" if arrays else "table_intake"
        with _clocked(verbs, door, clock, "encode"), _clocked(resident, "place", clock, "transfer"):
            start = time.perf_counter()
            self.fit(data, tolerance)
            total = time.perf_counter() - start
        return clock | {"solve": total - sum(clock.values())}


@contextlib.contextmanager
def _clocked(owner: Any, name: str, clock: dict[str, float], stage: str) -> Iterator[None]:
    """Add what calls of a function cost to a stage; its arrays are waited for."""
    block = importlib.import_module("jax").block_until_ready
    inner = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            value = inner(*args, **kwargs)
            return block(value) if stage == "transfer" else value
        finally:
            clock[stage] += time.perf_counter() - start

    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        setattr(owner, name, inner)


class JaxGlmCpu(JaxGlm):
    device = "cpu"


class JaxGlmCompiled(JaxGlm):
    keeps_programs = True

    def obstacle(self, spec: "Spec") -> str | None:
        small = spec.name in ("small", "small-table")
        return None if small else "only for the problems of latency"


class JaxGlmFloat32(JaxGlm):
    dtype = "float32"

    def obstacle(self, spec: "Spec") -> str | None:
        return None if spec.dtype == "float32" else "only for data held in float32"

"""Owns what an adapter is that fits a path, and the registry of them.

Imports the standard library at the top and nothing else: the time an adapter takes to import its
library is measured.
"""

import functools
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.targets import OURS

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.spec import Spec

CV, RIDGE, PLAIN = f"{OURS}-cv", f"{OURS}-ridge", f"{OURS}-plain"
ADAPTERS = {
    OURS: ("_jaxglm", "JaxGlm"),
    CV: ("_jaxglm", "CrossValidation"),
    RIDGE: ("_jaxglm", "Ridge"),
    PLAIN: ("_jaxglm", "Plain"),
    "glmnet": ("_glmnet", "Glmnet"),
    "adelie": ("_adelie", "Adelie"),
    "celer": ("_celer", "Celer"),
    "skglm": ("_skglm", "Skglm"),
    "glum": ("_glum", "Glum"),
    "sklearn-saga": ("_sklearn", "Saga"),
}
OTHERS = (CV, RIDGE, PLAIN)
"""What is no path: what jaxglm's takes is compared with."""


@dataclass
class Given:
    """A problem as an adapter receives it."""

    data: "Data"
    strengths: "np.ndarray"

    @property
    def spec(self) -> "Spec":
        return self.data.spec

    @property
    def y(self) -> "np.ndarray":
        return self.data.y

    @property
    def offset(self) -> "np.ndarray | None":
        return self.data.log_exposure

    @functools.cached_property
    def design(self) -> Any:
        """The columns beside the intercept: a dense matrix, or a sparse one by column."""
        from benchmarks import data
        from benchmarks.paths import optimality

        return optimality.design(self.spec, data.read_columns(self.data.folder, mapped=True))

    @functools.cached_property
    def by_column(self) -> Any:
        """The same, a dense matrix in Fortran order."""
        import numpy as np

        return self.design if self.spec.door == "table" else np.asfortranarray(self.design)


@dataclass
class Coefficients:
    """What a path leaves: intercepts [k] and the other coefficients [k, p - 1].

    `seconds` replaces what the worker's clock says, for a library in a process of its own; so do
    `versions` what Python knows of it.
    """

    intercepts: "np.ndarray"
    beta: "np.ndarray"
    seconds: float | None = None
    versions: dict[str, str] = field(default_factory=dict)


class Adapter:
    """One library.

    Attributes
    ----------
    packages : distributions whose versions a results line records
    default : the library's own default tolerance
    tolerances : those it is run at, from loose to tight; None where there is nothing to vary
    compiles : whether its first call compiles: a second one is then timed
    """

    packages: ClassVar[Sequence[str]] = ()
    default: ClassVar[float | None] = None
    tolerances: ClassVar[Sequence[float | None]] = (None,)
    compiles: ClassVar[bool] = False

    def obstacle(self, spec: "Spec") -> str | None:
        """Why this library cannot have this problem, or None."""
        return None

    def load(self) -> None:
        """Import the library: the time is measured."""

    def ready(self, given: Given) -> None:
        """Make what the library is handed, in the form it takes best: no time is measured."""

    def solve(self, given: Given, tolerance: float | None) -> Coefficients | None:
        """Fit at all strengths: the time is measured. None for what is no path."""
        raise NotImplementedError

    def asked(self, words: Sequence[str]) -> list[float | None]:
        """Tolerances in the words of the command line: default, tight, all or numbers."""
        named: dict[str, Sequence[float | None]] = {
            "default": (self.default,),
            "tight": self.tolerances[-1:],
            "all": self.tolerances,
        }
        if self.tolerances == (None,):
            return [None]
        found = [at for word in words for at in named.get(word) or (float(word),)]
        return sorted(set(found), key=lambda at: -float(at or 0.0))


def create(name: str) -> Adapter:
    """The adapter of that name; nothing of its library is imported yet."""
    module, adapter = ADAPTERS[name]
    return getattr(importlib.import_module(f"benchmarks.paths.{module}"), adapter)()

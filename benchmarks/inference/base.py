"""Owns what an adapter is that answers about a fitted model, and the registry of them.

Imports NumPy; libraries come in through `importlib` when one is loaded, since none of the peers
needs to be installed.
"""

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks import data
from benchmarks.targets import OURS

ADAPTERS = {
    OURS: ("_jaxglm", "JaxGlm"),
    "statsmodels": ("_statsmodels", "Statsmodels"),
    "pyfixest": ("_pyfixest", "Pyfixest"),
    "r-sandwich": ("_r_sandwich", "RSandwich"),
}
LAGS = 4


@dataclass(frozen=True)
class Given:
    """A problem as an adapter receives it.

    Attributes
    ----------
    data : Data
    clusters, others : [n] int
    folder : Path
        Where jaxglm leaves its coefficients, `beta.npy`, from which peers start.
    """

    data: data.Data
    clusters: np.ndarray
    others: np.ndarray
    folder: Path

    @classmethod
    def read(cls, folder: Path) -> "Given":
        clusters, others = (np.load(folder / f"{name}.npy") for name in ("clusters", "others"))
        return cls(data.read(folder), clusters, others, folder)

    @property
    def beta(self) -> np.ndarray:
        return np.load(self.folder / "beta.npy")

    @property
    def names(self) -> list[str]:
        """Of the columns of a matrix beside its constant."""
        return [f"x{j}" for j in range(1, self.data.spec.p)]


@dataclass(frozen=True)
class Answer:
    """What a task gives: seconds, and numbers to be held against ours (or None)."""

    seconds: float
    values: np.ndarray | None


class Adapter:
    """One library; it fits once, untimed, and then answers tasks.

    Attributes
    ----------
    packages : distributions whose versions a results line records
    corrections : the tasks that it has, each with the `correction=` of ours that is the same
    """

    packages: ClassVar[Sequence[str]] = ()
    corrections: ClassVar[Mapping[str, str]] = {}

    def __init__(self, given: Given):
        self.given = given

    def obstacle(self) -> str | None:
        """Why it cannot have this problem, or None."""
        return None

    def fit(self) -> None:
        """Fit the model, at our coefficients where the library takes a start."""
        raise NotImplementedError

    def answer(self, task: str, correction: str) -> Answer:
        """Do a task, timed; the method of its name does it."""
        action: Callable[[str], Any] = getattr(self, task)
        start = time.perf_counter()
        values = action(correction)
        seconds = time.perf_counter() - start
        return Answer(seconds, None if values is None else np.asarray(values, float))

    def close(self) -> None:
        """End what was started."""


def adapter_of(name: str) -> type[Adapter]:
    """The adapter of that name; nothing of its library is imported yet."""
    module, adapter = ADAPTERS[name]
    return getattr(importlib.import_module(f"benchmarks.inference.{module}"), adapter)

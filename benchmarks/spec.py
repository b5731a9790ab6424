"""Owns what a problem is: its description and its numbers.

Imports NumPy only; `problems` and what it registers make problems of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

SEED = 20131
USUAL_LINKS = {"binomial": "logit", "gaussian": "identity"}


@dataclass(frozen=True)
class Spec:
    """A problem at a scale: everything about it but the numbers.

    `door` says how the data are handed to a library: "arrays" (X with a constant in column 0, in
    C order, and y) or "table" (a pandas data frame: categorical factors, then float columns). The
    coefficients are in one order for all: the columns of X, or intercept, factors without
    their first level, numeric columns.

    A problem of many fits is a table with `by`, the columns whose values make the `segments`; `n`
    are the rows of all segments together, `p` the coefficients of each.
    """

    name: str
    family: str
    n: int
    p: int
    door: str
    dtype: str = "float64"
    scale: float = 1.0
    power: float | None = None
    factors: dict[str, int] = field(default_factory=dict)
    numeric: tuple[str, ...] = ()
    has_exposure: bool = False
    summary: bool = False
    """Whether the job ends with a printed summary rather than with coefficients."""
    by: tuple[str, ...] = ()
    segments: int = 0
    other_link: str | None = None
    """A link that is not the usual one: logit, the identity of a Gaussian response, or else log."""
    shape: float | None = None
    """The alpha of a negative binomial response; None where it is part of the fit."""

    @property
    def link(self) -> str:
        return self.other_link or USUAL_LINKS.get(self.family, "log")

    @property
    def estimates_shape(self) -> bool:
        return self.family == "negative_binomial" and self.shape is None

    @property
    def formula(self) -> str:
        return "y ~ " + " + ".join([*self.factors, *self.numeric])

    @property
    def parts_per_row(self) -> int:
        """Entries of a row that are not zero."""
        if self.door == "arrays":
            return self.p
        return 1 + len(self.factors) + len(self.numeric)


@dataclass(frozen=True)
class Columns:
    """The numbers of a problem; `codes` count from 0, which is the reference level.

    Codes without `levels` are handed in as the whole numbers that they are.
    """

    y: np.ndarray
    X: np.ndarray | None = None
    codes: Mapping[str, np.ndarray] = field(default_factory=dict)
    levels: Mapping[str, list[str]] = field(default_factory=dict)
    numeric: Mapping[str, np.ndarray] = field(default_factory=dict)
    exposure: np.ndarray | None = None


Made = tuple[Spec, Columns]


@dataclass(frozen=True)
class Problem:
    """One entry of the registry; `make(scale, seed)` draws it."""

    name: str
    about: str
    make: Callable[[float, int], Made]


def rows_at(full: int, scale: float, least: int = 500) -> int:
    return max(round(full * scale), least)

"""Owns contrast codings: the matrix that turns the levels of a factor into columns, and its labels.

The matrices are those of R's contr.* functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxglm._status import FormulaError
from jaxglm.io.tables import Level
from jaxglm.words import listed, near_text


@dataclass(frozen=True)
class Contrast:
    """Which coding a factor asks for.

    Attributes
    ----------
    kind : str
        "treatment", "sum", "helmert", "poly", "diff", or "each" of a random effect, whose levels
        all have a column.
    reference : level, int or None
        Treatment coding only: the level without a column; None stands for the first.
    """

    kind: str = "treatment"
    reference: Level | None = None

    def reference_code(self, levels: tuple[Level, ...], label: str) -> int:
        """The position of the reference level: a level, or else a position counted from 0."""
        if self.reference is None:
            return 0
        if self.reference in levels:
            return levels.index(self.reference)
        whole = isinstance(self.reference, int) and not isinstance(self.reference, bool)
        if whole and 0 <= int(self.reference) < len(levels):
            return int(self.reference)
        raise FormulaError(
            f"{label}: the reference {self.reference!r} is not one of its levels in the rows used; "
            f"{near_text(str(self.reference), map(str, levels))}"
        )

    def columns(self, n_levels: int, label: str) -> np.ndarray | None:
        """The [n_levels, n_levels - 1] matrix; None for treatment coding, which needs none."""
        if self.kind == "poly" and n_levels > _MOST_POWERS:
            raise FormulaError(
                f"{label} has {n_levels} levels; the coding Poly can have {_MOST_POWERS}, "
                "Treatment any number"
            )
        return None if self.kind == "treatment" else _MATRICES[self.kind](n_levels)

    def labels(self, levels: tuple[Level, ...], reference: int) -> list[str]:
        """What stands behind the name of the factor in the names of its columns."""
        if self.kind == "treatment":
            return [f"[T.{level}]" for i, level in enumerate(levels) if i != reference]
        if self.kind == "sum":
            return [f"[S.{level}]" for level in levels[:-1]]
        if self.kind == "helmert":
            return [f"[H.{level}]" for level in levels[1:]]
        if self.kind == "diff":
            return [f"[D.{level}]" for level in levels[1:]]
        named = [".L", ".Q", ".C"] + [f"^{power}" for power in range(4, len(levels))]
        return named[: len(levels) - 1]


TREATMENT, EACH = Contrast(), Contrast("each")
# Powers of more positions are lost in rounding; R's contr.poly draws the line here.
_MOST_POWERS = 95


def treatment(reference: Any = None) -> Contrast:
    """The coding that Treatment(...) asks for."""
    reference = reference.item() if isinstance(reference, np.generic) else reference
    if reference is not None and not isinstance(reference, str | int | float):
        raise FormulaError("the reference must be one level, as in 'b' or 3")
    return Contrast("treatment", reference)


def _sum(n_levels: int) -> np.ndarray:
    return np.vstack([np.eye(n_levels - 1), -np.ones((1, n_levels - 1))])


def _helmert(n_levels: int) -> np.ndarray:
    column = np.arange(1, n_levels, dtype=float)
    row = np.arange(n_levels)[:, None]
    return np.where(row < column, -1.0, np.where(row == column, column, 0.0))


def _poly(n_levels: int) -> np.ndarray:
    """Orthonormal polynomials of the level's position, leading coefficients positive."""
    position = np.arange(n_levels) - (n_levels - 1) / 2
    q, r = np.linalg.qr(np.vander(position, increasing=True))
    return (q * np.sign(np.diag(r)))[:, 1:]


def _diff(n_levels: int) -> np.ndarray:
    """Of steps from each level to the next, about the mean of all: MASS's contr.sdif."""
    below = np.arange(1, n_levels)
    above = np.arange(n_levels)[:, None] >= below
    return np.where(above, below, below - n_levels) / n_levels


_MATRICES: dict[str, Callable[[int], np.ndarray]] = {
    "sum": _sum,
    "helmert": _helmert,
    "poly": _poly,
    "diff": _diff,
}

# The spellings of patsy and statsmodels, and those of R.
CODINGS = {
    "Treatment": "treatment",
    "Sum": "sum",
    "Helmert": "helmert",
    "Poly": "poly",
    "Diff": "diff",
    "contr.treatment": "treatment",
    "contr.sum": "sum",
    "contr.helmert": "helmert",
    "contr.poly": "poly",
    "contr.sdif": "diff",
}


def no_coding(name: str) -> str:
    """What to say where a coding is named that there is not."""
    if name == "contr.SAS":
        return f"there is no coding {name!r}; with 'c' as the last level it is Treatment('c')"
    if name.startswith("contr."):
        return f"there is no coding {name!r}; there is {listed(CODINGS)}"
    return f"there is no coding {name!r}; {near_text(name, CODINGS)}"


def coding_takes_none(name: str, column: str) -> str:
    """What to say where the name of a coding is called with an argument."""
    if CODINGS[name] == "treatment":
        instead = f"with 'b' as the reference level write C({column}, Treatment('b'))"
    else:
        instead = f"write C({column}, {name})"
    return f"{name}(...) takes no argument; {instead}"

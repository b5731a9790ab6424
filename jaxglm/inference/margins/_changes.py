"""Owns the changes of a variable whose effects are asked for: slopes, and steps between values."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm.intake import Population, VariableRows
from jaxglm.words import listed

# What the effects of each method are, as statsmodels writes them.
METHODS = {
    "dydx": "dy/dx",
    "eyex": "d(lny)/d(lnx)",
    "dyex": "dy/d(lnx)",
    "eydx": "d(lny)/dx",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """A variable at one value in all rows, or moved by one number from where it is."""

    name: str
    value: Any
    shift: bool = False

    def applied(self, rows: VariableRows) -> VariableRows:
        """The rows after it."""
        value = rows.numbers(self.name) + self.value if self.shift else self.value
        return rows.with_values({self.name: value})


@dataclasses.dataclass(frozen=True)
class Slope:
    """The derivative along a variable, `proportional` to its value where that is asked for.

    `spread` is the size of usual differences between its values.
    """

    name: str
    label: str
    spread: float
    proportional: bool


@dataclasses.dataclass(frozen=True)
class Step:
    """A `share` of the difference between two settings of a variable."""

    name: str
    label: str
    low: Setting
    high: Setting
    share: float = 1.0

    @property
    def ends(self) -> tuple[tuple[float, Setting], ...]:
        """The settings, with the share of each in the effect."""
        return (self.share, self.high), (-self.share, self.low)


Change = Slope | Step
# What lines are asked for.
Key = Slope | Setting


def keys_of(changes: Sequence[Change]) -> list[Key]:
    """What lines are asked for, once each."""
    keys: dict[Key, None] = {}
    for change in changes:
        keys |= dict.fromkeys(
            [change] if isinstance(change, Slope) else [setting for _, setting in change.ends]
        )
    return list(keys)


@dataclasses.dataclass(frozen=True)
class AskedEffects:
    """How variables change.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    dummy : bool
        Variables of 0 and 1 step from 0 to 1.
    count : bool
        Variables of whole numbers step by one.
    """

    method: str
    dummy: bool
    count: bool

    def changes(
        self, population: Population, variables: Sequence[str] | None
    ) -> tuple[list[Change], list[str]]:
        """The changes of some variables, or of all that enter as more than comparisons.

        Returns
        -------
        changes : list of Slope and Step
        left_out : list of str
            Variables that have neither slope nor levels.

        Raises
        ------
        DataError
            Where a variable is none, or not known.
        ValueError
            Where one that is asked for has neither slope nor levels.
        """
        rows = population.rows
        changes: list[Change] = []
        left_out: list[str] = []
        for name in rows.names if variables is None else variables:
            levels = rows.levels(name)
            if levels is not None:
                changes.extend(self._between(name, levels))
            elif rows.has_slope(name):
                changes.append(self._along(name, population.numbers(name), population.count))
            elif variables is None:
                left_out.append(name)
            else:
                raise ValueError(
                    f"{name!r} enters by comparisons only, and has no slope; make the comparison a "
                    f"column of the table, data['high'] = data[{name!r}] > 3, or compare "
                    f"predictions at two values with at={{{name!r}: [...]}}"
                )
        return changes, left_out

    def _between(self, name: str, levels: io.Levels) -> Iterator[Step]:
        for level in levels.values:
            if level != levels.reference:
                yield self._step(name, levels.reference, level)

    def _along(self, name: str, x: np.ndarray, count: np.ndarray) -> Change:
        whole = bool((x == np.floor(x)).all() and (x >= 0).all())
        binary = whole and bool((x <= 1).all()) and np.ptp(x) > 0
        if self.dummy and binary:
            return self._step(name, 0, 1)
        if self.count and whole and not binary:
            low, high = Setting(name, -1.0, shift=True), Setting(name, 1.0, shift=True)
            return Step(name, "+1" if self.method[0] == "d" else "ln +1", low, high, share=0.5)
        spread = float(np.sqrt(np.cov(x, aweights=count, ddof=0))) if x.size > 1 else 0.0
        size = spread or float(np.abs(x).max()) or 1.0
        return Slope(name, METHODS[self.method], size, self.method.endswith("ex"))

    def _step(self, name: str, low: Any, high: Any) -> Step:
        text = "{} - {}" if self.method[0] == "d" else "ln({}) - ln({})"
        return Step(name, text.format(high, low), Setting(name, low), Setting(name, high))


def check_variables(variables: Any) -> list[str] | None:
    """The names of `variables=`: one, several, or None for all."""
    if variables is None:
        return None
    names = [variables] if isinstance(variables, str) else variables
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"variables must be the name of a variable or a list of names, not {variables!r}"
        )
    if not names:
        raise ValueError("variables names none; leave it out for all of them")
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"variables names {listed(map(repr, twice))} twice")
    return list(names)

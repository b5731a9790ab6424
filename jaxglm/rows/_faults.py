"""Owns what a row that cannot be used does: it ends the call, or only the fit of its own segment.

Those who check rows hand over positions and a way to put some of them into words; they need not
know which of the two it is, but for one thing: where a refusal comes back, the rows refused are
theirs to set aside.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from jaxglm._status import DataError

Words = Callable[[np.ndarray], str]


class OneFit:
    """All rows make one fit, which any row refused ends.

    Attributes
    ----------
    codes : int [n] or None
        The fit that each row given belongs to; None if all belong to one.
    gaps : mapping of bool [n]
        Rows that miss what says which fit they belong to, by the name of that.
    failed : mapping of str
        By fit, the words of its first fault, where that ends no more than the fit.
    """

    codes: np.ndarray | None = None
    gaps: Mapping[str, np.ndarray] = {}
    failed: Mapping[int, str] = {}

    def refuse(self, rows: np.ndarray, words: Words, error: type[DataError] = DataError) -> None:
        """Refuse rows, by position in what the user gave; `words` says what is wrong with some."""
        if rows.size:
            raise error(words(rows))

    def without(self, holds: np.ndarray) -> np.ndarray:
        """The rows of the fits of which no row has `holds` set."""
        return np.empty(0, int) if holds.any() else np.arange(holds.size)

    def sound(self, rows: np.ndarray) -> np.ndarray:
        """Those of some rows whose fit was not refused."""
        return rows


class ManyFits(OneFit):
    """Rows of many fits, of which a row refused ends its own.

    Parameters
    ----------
    codes : int [n]
        -1 for a row of no fit.
    count : int
    gaps : mapping of bool [n]

    Attributes
    ----------
    failed : dict of str
        By fit, the words of its first fault.
    """

    codes: np.ndarray

    def __init__(self, codes: np.ndarray, count: int, gaps: Mapping[str, np.ndarray]):
        self.codes, self.gaps = codes, gaps
        self.failed: dict[int, str] = {}
        self._sound = np.ones(count + 1, bool)  # the last one stands for code -1

    def refuse(self, rows: np.ndarray, words: Words, error: type[DataError] = DataError) -> None:
        """Refuse rows; of each fit, the first refusal counts."""
        rows = rows[self._sound[self.codes[rows]] & (self.codes[rows] >= 0)]
        if not rows.size:
            return
        rows = rows[np.argsort(self.codes[rows], kind="stable")]
        codes = self.codes[rows]
        ends = np.flatnonzero(np.diff(codes)) + 1
        for own in np.split(rows, ends):
            self.failed[int(self.codes[own[0]])] = words(own)
        self._sound[codes] = False

    def without(self, holds: np.ndarray) -> np.ndarray:
        having = np.zeros(self._sound.size, bool)
        having[self.codes[holds]] = True
        having[-1] = True
        return np.flatnonzero(~having[self.codes])

    def sound(self, rows: np.ndarray) -> np.ndarray:
        return rows[self._sound[self.codes[rows]]]


ONE_FIT = OneFit()


class Postponed(OneFit):
    """Refusals put off until it is known which rows are left out anyway, for what they miss."""

    def __init__(self) -> None:
        self._found: list[tuple[np.ndarray, Words, type[DataError]]] = []

    def refuse(self, rows: np.ndarray, words: Words, error: type[DataError] = DataError) -> None:
        if rows.size:
            self._found.append((rows, words, error))

    def settle(self, left_out: np.ndarray, fits: OneFit = ONE_FIT) -> np.ndarray:
        """Refuse the rows that are not left out ([n] bool), in the order in which they were found.

        Returns
        -------
        bool [n]
            The rows refused, where the call goes on.
        """
        refused = np.zeros(left_out.size, bool)
        for rows, words, error in self._found:
            rows = rows[~left_out[rows]]
            refused[rows] = True
            fits.refuse(rows, words, error)
        return refused


@dataclasses.dataclass(frozen=True)
class UsedRows:
    """Rows in use, some of those given: refused by where they stand, told as the user counts them.

    Attributes
    ----------
    fits : OneFit
    kept : int [n] or None
        Positions of the rows in what the user gave; None if all are used.
    """

    fits: OneFit = ONE_FIT
    kept: np.ndarray | None = None

    def refuse(self, wrong: np.ndarray, words: Callable[["Refused"], str]) -> None:
        """Refuse the rows where `wrong` is set."""
        if not wrong.any():
            return
        kept, rows = self.kept, np.flatnonzero(wrong)
        self.fits.refuse(
            rows if kept is None else kept[rows],
            lambda own: words(Refused(own, own if kept is None else np.searchsorted(kept, own))),
        )

    def sound(self, n: int) -> np.ndarray | slice:
        """Of the `n` rows, those of fits not refused, as something to take them with."""
        if not self.fits.failed:
            return slice(None)
        given = np.arange(n) if self.kept is None else self.kept
        sound = self.fits.sound(given)
        if sound.size == n:
            return slice(None)
        return sound if self.kept is None else np.searchsorted(self.kept, sound)

    @property
    def codes(self) -> np.ndarray | None:
        """The fit of each row in use; None if all are of one."""
        codes = self.fits.codes
        return codes if codes is None or self.kept is None else codes[self.kept]


ALL_ROWS = UsedRows()


@dataclasses.dataclass(frozen=True)
class Refused:
    """Some rows refused: where they stand in what the user gave, and among those in use."""

    given: np.ndarray
    used: np.ndarray

    def holding(self, values: np.ndarray) -> str:
        """Words for the rows: how many, which come first, and what they hold."""
        where = ", ".join(str(int(row)) for row in self.given[:5])
        what = ", ".join(f"{value:.6g}" for value in values[self.used[:5]])
        more = ", ..." if self.used.size > 5 else ""
        noun = "row" if self.used.size == 1 else "rows"
        return f"{self.used.size} {noun} (first: {where}{more}) hold {what}{more}"

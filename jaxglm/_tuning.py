"""Owns the numbers that decide how a fit is carried out, never what it answers."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Tuning:
    """Sizes from which another way pays.

    They were measured on CPUs; tests pass in others with `tuned`, to take a large fit's way with
    few rows. They hold in the thread that enters it.

    Attributes
    ----------
    driver : {"compiled", "host"}
        How the loop over resident rows is driven: as one program, or turn by turn from Python,
        which compiles less and takes longer. Other sources are driven from Python in any case.
    small_cells : int
        Rows times columns up to which a program over them runs for less than it compiles, and is
        compiled the quicker way.
    large_rows, large_work : float
        From so many rows, or products (rows times columns squared), on a pass is what a fit costs,
        and it takes the short way.
    most_cells : int
        An information matrix of more numbers (800 MB) would fill the memory: the fit is by a
        first-order method, and goes without standard errors.
    most_whole : int
        A lasso of more columns works on a part of them at a time.
    smallest_part : int
        Columns of the smallest of such parts; the others have twice as many, and so on.
    most_columns : int
        Rank decisions and the separation test work with dense columns, which for more than these
        would fill the memory.
    most_robust : int
        Of so many columns all have robust covariances, also where a factor was eliminated: of more
        the other columns have them, and its levels have none.
    least_eliminated : int
        A factor of fewer levels is not eliminated from the information: that is small as it is.
    fewest_rows : int
        Fewer rows are padded to so many, which costs nothing next to a program of their own.
    smallest_tile, largest_tile : int
        Rows of a tile; between them it is as large as the cache holds.
    fewest_shared : int
        From so many numbers in memory on the cores share a visit to the rows.
    fewest_rows_merged : int
        With fewer rows a fit takes some hundredths of a second as it is, and identical rows are
        not looked for unless that is asked for.
    most_lane_rows : int
        A segment of more rows is a single fit: it takes a sample first, and merges identical rows.
    fewest_shaped : int
        So many fits with a shape each take as long, one by one, as a program of all of them takes
        to compile.
    rows_a_program : int
        Segments may be padded by so many rows in all before another program pays: a twentieth of a
        second at each call, for a second of compilation at the first.
    """

    driver: Literal["compiled", "host"] = "compiled"
    small_cells: int = 1 << 18
    large_rows: float = 100_000
    large_work: float = 1e8
    most_cells: int = 100_000_000
    most_whole: int = 2_000
    smallest_part: int = 256
    most_columns: int = 10_000
    most_robust: int = 1_000
    least_eliminated: int = 32
    fewest_rows: int = 64
    smallest_tile: int = 256
    largest_tile: int = 1 << 16
    fewest_shared: int = 4_000_000
    fewest_rows_merged: int = 20_000
    most_lane_rows: int = 1 << 16
    fewest_shaped: int = 50
    rows_a_program: int = 1_000_000


_DEFAULT = Tuning()
_current: ContextVar[Tuning] = ContextVar("tuning", default=_DEFAULT)


def tuning() -> Tuning:
    """The numbers in force."""
    return _current.get()


@contextmanager
def tuned(**changes: Any) -> Iterator[Tuning]:
    """Other numbers for the fits inside."""
    token = _current.set(dataclasses.replace(tuning(), **changes))
    try:
        yield tuning()
    finally:
        _current.reset(token)

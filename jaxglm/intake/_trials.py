"""Owns what a response is beside trials: numbers of successes, or their proportions."""

from typing import NamedTuple

import numpy as np

from jaxglm.rows import UsedRows


class Read(NamedTuple):
    """Proportions [n], and a warning where how they were read is a guess."""

    proportion: np.ndarray
    cautions: tuple[str, ...]


def read_beside_trials(
    y: np.ndarray, trials: np.ndarray, name: str, rows: UsedRows, proportions: bool | None
) -> Read:
    """One reading for all rows, whatever fits they belong to; rows that contradict it are refused.

    Parameters
    ----------
    y, trials : [n]
    name : str
        Of the response.
    rows : UsedRows
    proportions : bool or None
        What the response is; None leaves it to the values: with some between 0 and 1 they are
        proportions. Where all are 0 or 1 they can be either, and are taken for numbers.
    """
    cautions: tuple[str, ...] = ()
    if proportions is None:
        proportions = are_proportions(y, rows)
        if not proportions and _either(y, trials, rows):
            cautions = (
                f"{name!r} holds only 0 and 1 and trials= holds more than 1: it was read as the "
                "number of successes. If it is their proportion say so with proportions=True; "
                "proportions=False states this reading.",
            )
    if not proportions:
        rows.refuse(
            y != np.floor(y),
            lambda found: (
                f"{name!r} was read as the number of successes among trials=, a whole number, but "
                f"{found.holding(y)}; if it is their proportion say so with proportions=True."
            ),
        )
        return Read(proportion_of(y, trials, name, rows), cautions)
    rows.refuse(
        (y < 0) | (y > 1),
        lambda found: (
            f"{name!r} was read as the proportion of successes among trials=, from 0 to 1, but "
            f"{found.holding(y)}; if it is their number say so with proportions=False."
        ),
    )
    return Read(y, cautions)


def are_proportions(y: np.ndarray, rows: UsedRows) -> bool:
    """Whether the values are proportions: some between 0 and 1, and not more that cannot be any."""
    values = y if rows.codes is None else y[rows.codes >= 0]
    between = (values > 0) & (values < 1)
    beyond = ((values < 0) | (values > 1)) & (values == np.floor(values))
    return bool(between.any() and beyond.sum() <= between.sum())


def proportion_of(
    successes: np.ndarray, trials: np.ndarray, name: str, rows: UsedRows
) -> np.ndarray:
    """Successes over trials, 0 where there are none; impossible numbers are refused."""
    rows.refuse(
        (successes > trials) | (successes < 0),
        lambda found: (
            f"More successes than trials, or a negative count, in {name!r}: "
            f"{found.holding(successes)}; the trials there: {found.holding(trials)}."
        ),
    )
    return np.divide(successes, trials, out=np.zeros_like(successes), where=trials > 0)


def _either(y: np.ndarray, trials: np.ndarray, rows: UsedRows) -> bool:
    """Whether the values could be proportions as well, and would then say something else."""
    sound = rows.sound(y.size)
    whole = y[sound] == np.floor(y[sound])
    return bool((y[sound][whole] <= 1).all() and (trials[sound][whole] > 1).any())

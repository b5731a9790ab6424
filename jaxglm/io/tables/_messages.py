"""Owns the wording that messages about tables share."""

from collections.abc import Iterable

import numpy as np

from jaxglm.words import listed

ROWS_SHOWN = 5


def rows_text(mask_or_rows: np.ndarray) -> str:
    """Name the first rows of a mask or of an array of positions, counting from 0."""
    rows = np.asarray(mask_or_rows)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    shown = ", ".join(str(int(row)) for row in rows[:ROWS_SHOWN])
    more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more} (counting from 0)"


def spaces_caution(what: str, labels: Iterable[object]) -> str | None:
    """Words for labels of `what` that differ only in surrounding spaces; None if there are none."""
    same: dict[str, list[str]] = {}
    for label in labels:
        if isinstance(label, str):
            same.setdefault(label.strip(), []).append(label)
    groups = [" and ".join(map(repr, group)) for group in same.values() if len(group) > 1]
    if not groups:
        return None
    return (
        f"{what} holds labels that differ only in the spaces around them and were taken as "
        f"different: {listed(groups, 5)}. Strip the text before the fit, as with "
        "table[column].str.strip(), if they are the same."
    )

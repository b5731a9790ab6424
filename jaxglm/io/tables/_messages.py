"""Owns the wording that errors about tables share: row lists; near names are the package's."""

import numpy as np

from jaxglm._words import listed, near_text

__all__ = ["ROWS_SHOWN", "listed", "near_text", "rows_text"]

ROWS_SHOWN = 5


def rows_text(mask_or_rows: np.ndarray) -> str:
    """Name the first rows of a mask or of an array of positions, counting from 0."""
    rows = np.asarray(mask_or_rows)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    shown = ", ".join(str(int(row)) for row in rows[:ROWS_SHOWN])
    more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more} (counting from 0)"

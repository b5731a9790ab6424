"""Owns the columns of a block in the coordinates of a root: X times the root."""

from typing import Any

import jax

from jaxglm.designs._base import Operator
from jaxglm.designs._dense import Dense
from jaxglm.designs._split import Split


def in_root(design: Any, along: jax.Array, *, levels: bool) -> Operator:
    """X times the dense part of a root, beside the levels of an eliminated factor where asked for.

    With the columns of the root, rows are vectors of which the information is the unit matrix:
    sums over them keep their digits however collinear the columns are. The levels still lack their
    entries of the root's diagonal, by which their sums are to be multiplied.

    Parameters
    ----------
    design : Operator
    along : [n, q]
        The product.
    levels : bool
        The root has a diagonal: that of the levels of the last factor.
    """
    columns = Dense(along)
    return Split(columns, design.factors[-1:], eliminated=True) if levels else columns

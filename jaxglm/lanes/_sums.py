"""Owns the record of what a lane leaves, whichever program it was fitted by."""

from typing import Any, NamedTuple

from jaxglm.search._shape import Shape
from jaxglm.search._statistics import Statistics
from jaxglm.solvers import Outcome
from jaxglm.sums import FinalSums, NullModel


class LaneSums(NamedTuple):
    """What a lane leaves.

    Attributes
    ----------
    outcome : Outcome
        How the loop ended.
    sums : FinalSums
        Where it ended.
    null : NullModel
        What the response lies about.
    statistics : Statistics
    decrement : float
        What is left of the distance to the optimum, in standard errors, by the exact sums.
    root : [p, p]
        A root of the inverse information there; nan where that is not positive definite.
    keep : [p] bool
        Columns that took part: those asked for that are not zero in all rows that count, or that
        a penalty holds.
    shape : Shape, optional
        Of the negative binomial where it was estimated.
    """

    outcome: Outcome
    sums: FinalSums
    null: NullModel
    statistics: Statistics
    decrement: Any
    root: Any
    keep: Any
    shape: Shape | None = None

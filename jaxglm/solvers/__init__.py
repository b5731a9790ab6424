"""Solvers: p-sized algebra that is told sums and answers with the next point. They know no rows."""

from jaxglm.solvers._base import (
    Controls,
    Outcome,
    Solver,
    Stop,
    Wants,
    dispersion,
    not_worse,
    rounding_floor,
)
from jaxglm.solvers._first_order import FirstOrder, lbfgs
from jaxglm.solvers._newton import KeptFactor, Newton, unfactored
from jaxglm.solvers._proximal import Bent, Proximal, least_of_model

__all__ = [
    "Bent",
    "Controls",
    "FirstOrder",
    "KeptFactor",
    "Newton",
    "Outcome",
    "Proximal",
    "Solver",
    "Stop",
    "Wants",
    "dispersion",
    "lbfgs",
    "least_of_model",
    "not_worse",
    "rounding_floor",
    "unfactored",
]

"""Solvers: p-sized algebra that is told sums and answers with the next point. They know no rows."""

from jaxglm.solvers._base import Controls, Outcome, Solver, Stop
from jaxglm.solvers._first_order import FirstOrder, lbfgs
from jaxglm.solvers._newton import Newton

__all__ = ["Controls", "FirstOrder", "Newton", "Outcome", "Solver", "Stop", "lbfgs"]

"""Owns models of the same rows in lanes, each with some of its coefficients held at values."""

import dataclasses
from typing import Any, NamedTuple, Self

import jax.numpy as jnp
import numpy as np

from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.lanes._lanes import LaneOptions, Lanes, loop_in_lane, masked
from jaxglm.lanes._ordinary import End, ordinary
from jaxglm.rows import Problem, Replicas
from jaxglm.search import Options
from jaxglm.search._settings import AT_BETA, Settings, tolerance
from jaxglm.sources import Block
from jaxglm.sums import Objective, final_sums_diagonal, has_constant, null_model, totals

# One fit of more rows keeps all cores busy by itself.
_MOST_ROWS = 1 << 14


class _Held(NamedTuple):
    """Coefficients [p], and which of them [p] are fitted from there; the others stay."""

    beta: Any
    fitted: Any


def _held_lane(block: Block, objective: Objective, own: _Held, shared: LaneOptions) -> End:
    """Where the loop of one model ends."""
    family, dtype = objective.family, block.rows.y.dtype
    offset = block.linear_predictor(jnp.where(own.fitted, 0.0, own.beta))
    block = dataclasses.replace(block, rows=dataclasses.replace(block.rows, offset=offset))
    rows, of = masked(block, own.fitted), totals(block.rows, jnp)
    null = null_model(of, family, has_constant=has_constant(rows), xp=jnp)
    options = Options(tol=shared.tol, max_turns=shared.max_turns)
    settings = Settings(family, options, dtype, jnp.sum(own.fitted), of, null, jnp)
    start = own.beta * own.fitted
    outcome, sums = loop_in_lane(rows, objective, settings, start, shared, final_sums_diagonal)
    return End(outcome, sums, settings.null_model, of.weight)


@dataclasses.dataclass(frozen=True)
class HeldModels:
    """Deviances of models that have some coefficients of their own held, many at a time.

    Attributes
    ----------
    problem : Problem
    lanes : Lanes
        One for each model that there may be at a time.
    """

    problem: Problem
    lanes: Lanes

    @classmethod
    def of(cls, problem: Problem, family: Family, count: int, max_memory: float) -> Self | None:
        """For up to `count` models of a problem at a time; None where single fits are better.

        They are with many rows, or where they make use of what the columns are: levels of factors.
        The rows of all lanes in work may take `max_memory` bytes.
        """
        n = len(problem.rows)
        if n > _MOST_ROWS or not isinstance(problem.design, Dense):
            return None
        replicas = Replicas(problem, None, np.broadcast_to(np.True_, (count, n)), {})
        every = np.arange(count)
        objective = Objective(problem.narrowed(family))
        lanes = Lanes.of(replicas, objective, every, max_memory)
        # They start near their optima, and run for less than their program takes to compile.
        return cls(problem, dataclasses.replace(lanes, few=True))

    def deviances(self, coef: np.ndarray, fitted: np.ndarray) -> np.ndarray:
        """The smallest deviances, [k]; nan where a single fit has to tell.

        Parameters
        ----------
        coef : [k, p]
            In public order: values of the coefficients that are held, and starts of the others.
        fitted : [k, p] bool
            Coefficients that are not held.
        """
        options, dtype, order = Options(), self.problem.dtype, self.problem.order
        shared = LaneOptions(
            start=np.int32(AT_BETA),
            observed=np.bool_(False),
            tol=dtype.type(tolerance(options, dtype)),
            max_turns=np.int32(options.max_turns),
        )
        own = _Held(coef[:, order].astype(dtype), fitted[:, order])
        deviance = np.full(len(coef), np.nan)
        for places, end in self.lanes.over(_held_lane, np.arange(len(coef)), own, shared):
            good = ordinary(end, self.lanes.objective, dtype, has_offset=True)
            good &= end.sums.far == 0
            deviance[places[good]] = end.sums.deviance[good]
        return deviance

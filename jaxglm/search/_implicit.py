"""Owns the derivatives of an optimum, by the implicit function theorem.

Whatever the rows, the family's parameters and the penalty (theta), the score S(b, theta) is zero at
the optimum b, so that db = -H^-1 (dS/dtheta) dtheta with H = dS/db, the observed information. It is
one linear solve: no step of the search is recorded.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import Status
from jaxglm.algebra import factorise, solve, zero_information
from jaxglm.search._settings import Options
from jaxglm.search._traced import Ended, searched
from jaxglm.sources import Block
from jaxglm.sums import Objective, Point, full_moments, light_moments, penalised


def optimum(block: Block, objective: Objective, options: Options) -> Ended:
    """Where the search for an optimum ends, in a program: coefficients with their derivatives.

    These are nan where the status is not `CONVERGED`; the other numbers have none.
    """
    found = searched(*jax.lax.stop_gradient((block, objective)), options)
    sound = jnp.where(found.status == int(Status.CONVERGED), 1.0, jnp.nan).astype(found.coef.dtype)
    return found._replace(coef=_differentiable(found.coef, sound, block, objective))


def computing_here() -> Any:
    """`computing` in 32 or 64 bits as the user's program does."""
    return computing(jnp.result_type(float) == np.float64)


@jax.custom_jvp
def _differentiable(
    coef: jax.Array, sound: jax.Array, block: Block, objective: Objective
) -> jax.Array:
    """The coefficients, to be differentiated as an optimum where `sound` is 1 and not nan."""
    return coef


@_differentiable.defjvp
def _implicit(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    _, sound, block, objective = primals
    with computing_here():
        # With derivatives of its own, for this rule is differentiated as well.
        coef = _differentiable(*primals)
        at = Point(coef, observed=np.True_, start=0, center=None, barrier=0.0)

        def score(block: Block, objective: Objective) -> jax.Array:
            sums = light_moments(block, objective.family, at)
            sums = sums._replace(info=zero_information(coef.size, 0, coef.dtype))
            return penalised(sums, objective.penalty, coef).score

        _, moved = jax.jvp(score, (block, objective), tangents[2:])
        sums = full_moments(block, objective.family, at)
        information = penalised(sums, objective.penalty, coef).info
        factor = factorise(information, jnp.zeros((), coef.dtype))
        # nan times the solution, not in its place: transposed, it reaches every derivative.
        return coef, -sound * solve(factor, moved)

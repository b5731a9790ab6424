"""Owns what rounding hides of an optimum: how far from it a fit may be, in standard errors."""

import numpy as np

from jaxglm.algebra import Root
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import Basis
from jaxglm.search._settings import AT_BETA
from jaxglm.solvers import Stop
from jaxglm.sources import Source
from jaxglm.sums import full_moments, penalised

# The smallest curvature, relative to the expected one, that is told from none.
_FLAT = float(np.finfo(np.float64).eps) ** 0.5


def hidden(
    search: Search, found: Attempt, basis: Basis, source: Source, root: Root | None
) -> float:
    """Distance to the optimum that rounding may leave, in standard errors.

    A decrement is a distance where the expected information is the curvature of the likelihood.
    With a link that is not canonical the likelihood may be flatter than that, and what rounding
    does to the score moves the optimum further: by the observed information, which one more pass
    makes where there is anything to hide. Infinite where that shows no maximum: rounding then
    decided where the loop ended.
    """
    outcome = found.outcome
    # A decrement under the tolerance is no rounding: the tolerance may be the caller's own.
    by_rounding = found.status.usable and int(outcome.stop) != int(Stop.DECREMENT)
    size = max(float(outcome.floor), float(outcome.decrement) if by_rounding else 0.0)
    plain = search.family.canonical or source.design.n_eliminated > 0
    # A score without its bias is none of the likelihood, whose curvature says nothing of it.
    plain |= search.reduced_at is not None
    if root is None or plain or not found.status.usable or not size > search.settings.tol:
        return size
    at = search.settings.point(found.gamma, AT_BETA, observed=True)
    objective = search.objective(basis)
    moments = source.reduce(full_moments, objective.family, at)
    information = np.asarray(penalised(moments, objective.penalty, at.beta).info, float)
    # In coordinates of unit standard errors, where the expected information is 1.
    relative = root.dense.T @ information @ root.dense
    if not np.isfinite(relative).all():
        return size
    flattest = float(np.linalg.eigvalsh(relative).min(initial=1.0))
    return size / flattest if flattest > _FLAT else float("inf")

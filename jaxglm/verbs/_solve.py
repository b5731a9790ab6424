"""Owns `solve`, the verb for a fit inside a program of the user's own: jit, vmap and grad."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm._status import DataError, Status
from jaxglm.algebra import factorise, inverse_root, trace_with
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.penalties import Penalty, QuadraticForm
from jaxglm.rows import ALL_ROWS
from jaxglm.search import Options
from jaxglm.search._implicit import computing_here, optimum
from jaxglm.search._statistics import likelihoods_of_rows, rounding_is_left, statistics
from jaxglm.sources import Block, Rows
from jaxglm.sums import Objective, final_sums, has_constant, penalised, totals
from jaxglm.words import understands_habits

_HIGHEST = jax.lax.Precision.HIGHEST
# What counts as numbers.
_KINDS = (jnp.bool_, jnp.integer, jnp.floating)


class Solution(NamedTuple):
    """What `solve` returns: arrays, or one axis more under `jax.vmap`.

    Attributes
    ----------
    coef : [p]
        Coefficients, on the scale of the link.
    covariance : [p, p]
        `scale` times the inverse expected information, the penalty's part included; nan where the
        fit did not converge.
    deviance, log_likelihood, scale : float
        As of a `Results`: the residual deviance, R's `logLik` (nan for quasi families), and the
        dispersion, 1 where the family fixes it and else Pearson chi2 over the residual degrees of
        freedom.
    status : int
        A `jaxglm.Status`.
    decrement : float
        Newton decrement where the loop stopped, in standard errors; the step in hand is added.
    turns : int
        Passes over the rows.
    """

    coef: Any
    covariance: Any
    deviance: Any
    log_likelihood: Any
    scale: Any
    status: Any
    decrement: Any
    turns: Any

    @property
    def converged(self) -> Any:
        """Whether the coefficients are an optimum."""
        return self.status == int(Status.CONVERGED)


@understands_habits
def solve(
    X: Any,
    y: Any,
    family: Family | str = "gaussian",
    *,
    weights: Any = None,
    offset: Any = None,
    penalty: Any = None,
    start: Any = None,
    tol: Any = None,
    max_turns: Any = 100,
) -> Solution:
    """Fit a model of arrays inside a compiled program, and let it be differentiated.

    A function of JAX arrays, for use under `jax.jit`, `jax.vmap`, `jax.grad`, `jax.jacfwd`,
    `jax.jacrev` and `jax.hessian`. Nothing in it depends on values: it never raises or warns in
    compiled code, and the status is part of what it returns. It computes in the dtype of its
    arguments, in float32 where jax does not allow 64 bits; the tolerance follows.

    Parameters
    ----------
    X : array, [n, p]
        The columns as they are; no intercept is added. Finite in all rows.
    y : array, [n]
        The response; proportions for a binomial family, with the trials as weights.
    family : Family or str
        As for `glm`, with its parameters, which may be traced:
        ``jg.NegativeBinomial(alpha=alpha)``. None is estimated.
    weights : array, [n], optional
        Prior weights, as R's `weights`. A row of weight 0 is not there, whatever its response.
    offset : array, [n], optional
        Added to the linear predictor.
    penalty : array, [p] or [p, p], optional
        P in ``b' P b / 2``, which is added to the negative log-likelihood at dispersion 1: its
        diagonal, a strength for each column and 0 for one that is free, or the matrix.
    start : array, [p], optional
        Coefficients to start from.
    tol : float, optional
        Newton decrement at which to stop. By default the machine epsilon to the power 2/3.
    max_turns : int
        Passes over the rows allowed to each of the three starts that are tried.

    Returns
    -------
    Solution

    Raises
    ------
    DataError
        For shapes that do not fit together and, where they are no tracers, for negative weights
        and for a response that the family cannot have.
    ValueError
        For an unknown family, or a negative binomial without `alpha`.

    Notes
    -----
    Derivatives with respect to `X`, `y`, `weights`, `offset`, `penalty` and the parameters of the
    family are those of the optimum, by the implicit function theorem: the score is zero there, so
    that ``d coef = -H^-1 d score`` with the observed information H, the penalty's part included.
    They cost one pass and one solve, whatever the number of turns, in forward and in reverse mode
    and to any order. They are nan where the status is not ``Status.CONVERGED``. `tol`, `start` and
    the scalars of the search have none; with respect to a weight of 0 they are 0.

    `deviance` and `log_likelihood` have no finite derivative with respect to a response at the end
    of its range (a zero count): what is given there means nothing. The binomial log-likelihood
    rounds trials and successes, and does not move with them; that of the Tweedie family is
    differentiated in forward mode only.

    Rank and separation are decided in the program, without the host's help. A design whose columns
    are nearly collinear (a scaled pivot of the information under 1e-7, or 1e-3 in float32) ends as
    ``SINGULAR``; center its columns, or leave some out. A fit is ``SEPARATED`` where the rows whose
    means are far from their limits leave some coefficient open, and a further Newton step would
    still move the others as far. `glm` goes further in both cases.

    Examples
    --------
    How the coefficients of a logistic regression move with the strength of a ridge:

    >>> import jax
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> X = np.column_stack([np.ones(6), [0.0, 1, 2, 3, 4, 5]])
    >>> y = np.array([0.0, 0, 1, 0, 1, 1])
    >>> def coef(strength):
    ...     ridge = strength * np.array([0.0, 1.0])
    ...     return jg.solve(X, y, "binomial", penalty=ridge).coef
    >>> [f"{b:.2f}" for b in jax.jit(coef)(1.0)]
    ['-1.92', '0.77']
    >>> [f"{slope:.2f}" for slope in jax.jit(jax.jacrev(coef))(1.0)]
    ['0.57', '-0.23']
    """
    with computing_here():
        block = _block(X, y, weights, offset)
        chosen = resolve(family)
        _check_response(chosen, y, weights)
        p = block.design.n_columns
        if start is not None:
            start = _shaped("start", start, (p,), "one number per column")
        for name, number in (("tol", tol), ("max_turns", max_turns)):
            if number is not None:
                _shaped(name, number, (), "one number")
        return _solution(block, Objective(chosen, _penalty(penalty, p)), start, tol, max_turns)


@program()
def _solution(block: Block, objective: Objective, start: Any, tol: Any, turns: Any) -> Solution:
    family, penalty = objective.family, objective.penalty
    block = _without_the_dead(block)
    found = optimum(block, objective, Options(start=start, tol=tol, max_turns=turns))
    coef, dtype, p = found.coef, found.coef.dtype, found.coef.size
    sums = penalised(final_sums(block, family, coef, found.null), penalty, coef)
    root = inverse_root(factorise(sums.info, jnp.zeros((), dtype)))
    held: Any = 0.0
    if penalty is not None:
        matrix = penalty.added_to(jnp.zeros((p, p), dtype))
        held = trace_with(matrix, root)

    def likelihoods(scales: tuple[Any, Any]) -> tuple[Any, Any]:
        return likelihoods_of_rows(block, family, coef, found.null, scales)

    of = totals(block.rows, jnp)
    numbers = statistics(
        family,
        sums,
        likelihoods,
        nobs=of.nobs,
        weight_sum=of.weight,
        parameters=p - held,
        has_constant=has_constant(block),
        xp=jnp,
    )
    # A dispersion of nothing but rounding errors is none.
    rounding = rounding_is_left(family, sums, of.weight, found.null.average, jnp)
    scale = jnp.where(rounding, jnp.nan, numbers.scale).astype(dtype)
    solution = Solution(
        coef=coef,
        covariance=scale * jnp.dot(root.dense, root.dense.T, precision=_HIGHEST),
        deviance=numbers.deviance,
        log_likelihood=jnp.asarray(numbers.log_likelihood, dtype),
        scale=scale,
        status=found.status,
        decrement=found.decrement,
        turns=found.turns,
    )
    covariance = jnp.where(solution.converged, solution.covariance, jnp.nan)
    return solution._replace(covariance=covariance)


def _without_the_dead(block: Block) -> Block:
    """The block with valid numbers in rows of weight 0, which are evaluated like any other."""
    rows = block.rows
    live, total = rows.live, jnp.sum(jnp.where(rows.live, rows.weight, 0.0))
    typical = jnp.sum(jnp.where(live, rows.weight * rows.y, 0.0)) / total
    offset = None if rows.offset is None else jnp.where(live, rows.offset, 0.0)
    return Block(block.design, Rows(jnp.where(live, rows.y, typical), rows.weight, offset))


# -- what is given ---------------------------------------------------------------------------------


def _block(X: Any, y: Any, weights: Any, offset: Any) -> Block:
    """The arrays in one dtype, float32 or more; of the columns as they are."""
    X = _numbers("X", X)
    if X.ndim != 2:
        raise DataError(
            f"X must have two axes, rows and columns; its shape is {X.shape}. "
            "The columns come first: solve(X, y)."
        )
    if 0 in X.shape:
        raise DataError(f"X has shape {X.shape}: a fit needs a row and a column at the least.")
    n, each = X.shape[0], "one number per row of X"
    response = _shaped("y", y, (n,), each)
    weight, shift = (
        None if given is None else _shaped(name, given, (n,), each)
        for name, given in (("weights", weights), ("offset", offset))
    )
    arrays = [v for v in (X, response, weight, shift) if v is not None]
    given = [v for v in arrays if jnp.issubdtype(v.dtype, jnp.floating)]
    dtype = jnp.result_type(*given, jnp.float32) if given else jnp.result_type(float)
    weight = jnp.ones(n, dtype) if weight is None else weight.astype(dtype)
    shift = None if shift is None else shift.astype(dtype)
    return Block(Dense(X), Rows(response.astype(dtype), weight, shift))


def _numbers(name: str, given: Any) -> jax.Array:
    """What was given as an array of numbers, tracers among them.

    Raises
    ------
    DataError
        For text, dates, objects, ragged lists, sparse matrices and the like.
    """
    try:
        values = jnp.asarray(given)
        if any(jnp.issubdtype(values.dtype, kind) for kind in _KINDS):
            return values
        what = f"an array of {values.dtype}"
    except (TypeError, ValueError):
        what = "None" if given is None else f"a {type(given).__name__}"
        what += f" of {given.dtype}" if hasattr(given, "dtype") else ""
    instead = ""
    if hasattr(given, "toarray"):
        instead = " A sparse matrix goes in as X.toarray()."
    elif name in ("X", "y"):
        instead = (
            " A formula and a table go to jaxglm.glm(formula, data), and "
            "jaxglm.design(formula, data).X has the columns that they make."
        )
    raise DataError(f"{name} must be numbers, and it is {what}.{instead}")


def _penalty(given: Any, p: int) -> Penalty | None:
    if given is None or isinstance(given, Penalty):
        return given
    strengths = _numbers("penalty", given)
    if strengths.ndim == 2:
        return QuadraticForm(_shaped("penalty", strengths, (p, p), "a matrix of the columns"))
    what = "one strength per column, 0 for one that is free (such as the intercept)"
    return QuadraticForm(jnp.diag(_shaped("penalty", strengths, (p,), what)))


def _shaped(name: str, given: Any, shape: tuple[int, ...], what: str) -> jax.Array:
    values = _numbers(name, given)
    if values.shape != shape:
        raise DataError(f"{name} must be {what}, of shape {shape}; its shape is {values.shape}.")
    return values


def _check_response(family: Family, y: Any, weights: Any) -> None:
    """Refuse weights and a response that there cannot be, where the values are seen."""
    if not _is_seen(weights):
        return
    if weights is not None:
        given = np.asarray(weights)
        ALL_ROWS.refuse(
            given < 0, lambda found: f"weights must not be negative, but {found.holding(given)}."
        )
    if not _is_seen((family, y)):
        return
    values = np.asarray(y, float)
    live = np.ones(values.shape, bool) if weights is None else np.asarray(weights) != 0
    ALL_ROWS.refuse(
        live & ~np.asarray(family.valid_response(values)),
        lambda found: (
            f"y is outside the support of the {family.name} family: {family.response_rule}, but "
            f"{found.holding(values)}."
        ),
    )


def _is_seen(tree: Any) -> bool:
    """Whether values are there, and no tracer stands for one."""
    return not any(isinstance(v, jax.core.Tracer) for v in jax.tree.leaves(tree))

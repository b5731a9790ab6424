"""Owns rank and conditioning: which columns are determined by earlier ones, and a better basis.

Normal equations square the condition number. Where a pivot of the scaled information shows that
this would cost digits, the columns are factorised themselves, X = Z T with T upper triangular from
a QR of X, and the fit runs on Z, whose Gram matrix is close to a multiple of the identity.
Coefficients are T^-1 of those on Z. Each row of Z solves a triangular system backward-stably, so Z
represents X to machine precision even where T is ill-conditioned.
"""

import dataclasses

import jax
import numpy as np

from jaxglm._tuning import tuning
from jaxglm.algebra import Bordered, Relations, Root, Span, span_of
from jaxglm.designs import Dense
from jaxglm.penalties import Penalty
from jaxglm.rows import Problem
from jaxglm.search._triangle import (
    GRAM_RANK_TOLERANCE,
    RANK_TOLERANCE,
    chunks,
    gram_triangle,
    triangle_of,
)
from jaxglm.sources import Block, Source
from jaxglm.sums import unit_gram

# Beyond this many operations the factorisation of X gives way to that of its Gram matrix.
_MOST_QR_WORK = 5e11


@dataclasses.dataclass(frozen=True)
class Basis:
    """Coordinates in which a fit runs: the kept columns, and a transformation of them.

    `keep` [p] is in design order. With `transform` T ([k, k], upper triangular) the coefficients of
    the kept columns are T^-1 gamma; without, gamma itself. `relations` say how the columns left out
    follow from the kept ones, in design order.
    """

    keep: np.ndarray
    transform: np.ndarray | None
    relations: Relations

    def coefficients(self, gamma: np.ndarray) -> np.ndarray:
        """Coefficients [p] in design order, nan for the columns left out."""
        out = np.full(self.keep.size, np.nan)
        out[self.keep] = self._solve(gamma)
        return out

    def coordinates(self, beta: np.ndarray) -> np.ndarray:
        """Gamma of given coefficients [p]; those of left-out columns are ignored."""
        kept = beta[self.keep]
        return kept if self.transform is None else self.transform @ kept

    def root(self, root: Root) -> Root:
        """T^-1 times a root of a covariance of gamma; zero for the columns left out."""
        dense = np.zeros((self.keep.size, root.dense.shape[1]))
        dense[self.keep] = self._solve(root.dense)
        diagonal = np.zeros(self.keep.size)
        diagonal[self.keep] = root.diagonal  # of factors, which are never transformed
        return Root(dense, diagonal)

    def penalty(self, penalty: Penalty | None) -> Penalty | None:
        """A penalty in design order, in these coordinates."""
        if penalty is None:
            return None
        kept = penalty.take(np.flatnonzero(self.keep))
        return kept if self.transform is None else kept.in_basis(self.transform)

    def _solve(self, values: np.ndarray) -> np.ndarray:
        if self.transform is None:
            return values
        from scipy.linalg import solve_triangular

        return solve_triangular(self.transform, values)


def plain_basis(problem: Problem) -> Basis:
    """All columns as they are."""
    return Basis(np.ones(problem.n_columns, bool), None, Relations.none())


def condition(
    problem: Problem, source: Source, smallest_pivot: float, penalty: Penalty | None
) -> tuple[Basis, Source]:
    """A basis without aliased columns and, where a pivot is still small, a triangular transform.

    Parameters
    ----------
    problem : Problem
        Whose columns they are.
    source : Source
        Its rows.
    smallest_pivot : float
        Squared share of a column outside the earlier ones under which to transform.
    penalty : Penalty or None
        In design order. What it holds is determined, even where the rows say nothing.

    Returns
    -------
    basis : Basis
    source : Source
        The rows in that basis.
    """
    n_eliminated, p = source.design.n_eliminated, problem.n_columns
    if n_eliminated and p > tuning().most_columns:
        return _without_empty_levels(problem, source, penalty)
    in_public_order = np.argsort(problem.order)
    n = source.scan(lambda count, block: count + int(block.rows.live.sum()), 0)
    if 2.0 * n * p * p > _MOST_QR_WORK:
        triangle, tolerance = gram_triangle(source.reduce(unit_gram)), GRAM_RANK_TOLERANCE
    else:
        triangle, tolerance = triangle_of(source, p), RANK_TOLERANCE
    if penalty is not None:
        triangle = np.vstack([triangle, penalty.as_rows()])
    span = span_of(triangle[:, in_public_order], tolerance)
    keep = np.zeros(p, bool)
    keep[in_public_order] = span.shares > 0
    if penalty is not None and tolerance == GRAM_RANK_TOLERANCE:
        keep |= np.asarray(penalty.holds())  # by less, perhaps, than a Gram matrix resolves
    relations = span.relations().at(in_public_order).only(~keep)
    if not keep.all():
        source = source.with_design(lambda block: block.design.take_columns(keep))
    least = span.shares[span.shares > 0].min(initial=1.0)
    if tolerance != RANK_TOLERANCE or least**2 >= smallest_pivot:
        return Basis(keep, None, relations), source

    transform = np.linalg.qr(triangle[:, keep], mode="r") / np.sqrt(n)
    basis = Basis(keep, transform, relations)
    return basis, source.with_design(lambda block: _in_basis(block, transform))


def _without_empty_levels(
    problem: Problem, source: Source, penalty: Penalty | None
) -> tuple[Basis, Source]:
    """The basis for a factor of very many levels: rank is decided among the other columns.

    A level without rows is left out; of the other columns those are that the levels and the columns
    before them determine, as the Gram matrix tells once the levels are eliminated.
    """
    gram = jax.device_get(source.reduce(unit_gram))
    live = gram.diagonal > 0
    within = gram.border / np.sqrt(np.where(live, gram.diagonal, 1.0))[:, None]
    size = np.sqrt(np.diag(gram.corner))
    scale = np.where(size > 0, size, 1.0)
    rest = (gram.corner - within.T @ within) / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(rest)
    triangle = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    q = size.size
    in_order = np.argsort(problem.order[:q])
    # Lengths before the elimination are 1: shares are of the whole column.
    span = span_of(triangle[:, in_order], GRAM_RANK_TOLERANCE, lengths=np.ones(q))
    keep = np.append(np.zeros(q, bool), live)
    keep[in_order] = span.shares > 0
    if penalty is not None:
        keep |= np.asarray(penalty.holds())
    rows = source.with_design(lambda block: block.design.take_columns(keep))
    return Basis(keep, None, _with_levels(gram, span, in_order).only(~keep)), rows


def _with_levels(gram: Bordered, span: Span, in_order: np.ndarray) -> Relations:
    """Relations of columns beside a factor: `span` is that of what its levels leave of them."""
    aliased, among = span.combinations()
    aliased = in_order[aliased]
    size, levels = np.sqrt(np.diag(gram.corner)), np.sqrt(gram.diagonal)
    scale = np.where(size > 0, size, 1.0)
    own = np.zeros_like(among)
    own[in_order] = among
    own *= scale[aliased] / scale[:, None]
    # What is left of a column then has one value in all rows of a level: the average there.
    sums = gram.border[:, aliased] - gram.border @ own
    of_levels = sums / np.where(gram.diagonal > 0, gram.diagonal, 1.0)[:, None]
    return Relations.of(np.concatenate([own, of_levels]), aliased, np.append(size, levels))


def _in_basis(block: Block, transform: np.ndarray) -> Dense:
    """Z = X T^-1 of one block."""
    from scipy.linalg import solve_triangular

    n = len(block.rows)
    out = np.empty((n, transform.shape[0]))
    for rows, dense in chunks(block.design, np.arange(n)):
        out[rows] = solve_triangular(transform, dense.T, trans="T").T
    return Dense(out)

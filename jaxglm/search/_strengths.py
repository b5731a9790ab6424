"""Owns the estimation of penalties' strengths: by REML, on the sums of the last step of a fit.

A fit at given strengths ends where its last step solves a weighted least-squares problem, the
working model. Its restricted likelihood is a function of p-sized sums, so it is maximised over the
strengths without a visit to the rows; a fit at the new strengths follows, and so on until the two
agree (Breslow and Clayton 1993, JASA 88, 9-25; mgcv's `bam` does so).
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import fetched
from jaxglm._status import DataError
from jaxglm.algebra import Information, Root, diagonal_of, root_of_inverse
from jaxglm.families import Family
from jaxglm.penalties import OpenStrengths, Penalty, QuadraticForm, rank_of
from jaxglm.rows import Problem
from jaxglm.search._attempts import Search
from jaxglm.search._estimate import Estimate
from jaxglm.search._settings import AT_BETA, Options
from jaxglm.search._shape import Shape, estimate_all
from jaxglm.search._statistics import rounding_is_left
from jaxglm.sources import Block
from jaxglm.sums import full_moments

# Logarithms of strengths: the longest step, how far from the rows' own information they may go, and
# what is left of them to change when they are known.
_LONGEST, _FARTHEST = 4.0, 16.0
_MOST_ROUNDS, _MOST_STEPS = 60, 100


class Strengths(NamedTuple):
    """What was found of m terms.

    Attributes
    ----------
    labels : tuple of str
    lambdas : [m]
        On the scale of the mean loss.
    edf : [m]
        What the penalties leave of the columns of each term.
    at_limit : [m] bool
        The strength is as large as it can be told: nothing of what it holds is left.
    settled : bool
        Fit and strengths agree.
    """

    labels: tuple[str, ...]
    lambdas: np.ndarray
    edf: np.ndarray
    at_limit: np.ndarray
    settled: bool


def estimate_strengths(
    problem: Problem, family: Family, options: Options, sought: OpenStrengths
) -> tuple[Estimate, Family, Shape | None, Strengths]:
    """The estimate at the strengths that maximise the restricted likelihood, and these.

    Parameters
    ----------
    problem, family : Problem, Family
    options : Options
        For each fit; their penalty is made here.
    sought : OpenStrengths

    Raises
    ------
    DataError
        For too many columns for an information matrix.
    """
    settled = max(1e-8, 8 * float(np.finfo(problem.dtype).eps) ** 0.5)
    rho = _first(problem, sought)
    turns, change = 0, np.full(rho.size, np.inf)
    for _ in range(_MOST_ROUNDS):
        options = dataclasses.replace(options, penalty=sought.total(np.exp(rho)))
        found, fitted, shape = estimate_all(problem, family, options)
        turns += found.turns
        model = _WorkingModel.of(problem, fitted, options, found, sought)
        nothing = _leaves_nothing(fitted, found)
        if nothing or not found.status.usable:
            break
        best = model.best(rho)
        change = np.abs(best - rho)
        options = dataclasses.replace(options, start=np.nan_to_num(found.beta))
        if change.max() < settled:
            break
        rho = best
    # Without an optimum nothing was estimated.
    edf, at_limit = model.left(rho), (rho >= model.high) & found.status.usable
    # Where the fit itself is no optimum its status says so.
    agree = bool(change.max() < settled) or not found.status.usable or nothing
    strengths = Strengths(sought.labels, np.exp(rho), edf, at_limit, agree)
    return found.with_turns(turns), fitted, shape, strengths


def _leaves_nothing(family: Family, found: Estimate) -> bool:
    weight, average = found.totals.weight, found.null.average
    return bool(rounding_is_left(family, found.sums, weight, average))


def _first(problem: Problem, sought: OpenStrengths) -> np.ndarray:
    """Logarithms of strengths that are about what the columns weigh."""
    squares, weight = fetched(problem.source.reduce(_squares))
    mean = problem.public(np.asarray(squares, float) / float(weight))
    return np.log([_ratio(mean, form) for form in sought.forms])


def _squares(block: Block) -> tuple[Any, Any]:
    weight = jnp.where(block.rows.weight > 0, block.rows.weight, 0.0)
    return block.design.gram_diagonal(weight), block.total(weight)


def _ratio(diagonal: np.ndarray, form: QuadraticForm) -> float:
    """What the rows know of the columns of a form, as a multiple of it."""
    own = np.asarray(form.matrix if form.matrix.ndim == 1 else form.matrix.diagonal())
    known = float(diagonal[own != 0].sum())
    return known / float(own.sum()) if known > 0 else 1.0


@dataclasses.dataclass(frozen=True)
class _WorkingModel:
    """The weighted least-squares problem that the last step of a fit solves, in its basis.

    Attributes
    ----------
    gamma, score : [k]
        The optimum, and the gradient of the loss of the rows there.
    info : Information
        Of the rows alone.
    pearson : float
        The residual sum of squares at `gamma`.
    nobs : float
    scaled : bool
        The dispersion is unknown, and takes the value that fits best.
    forms : tuple of QuadraticForm
        In this basis, with the weight of the rows.
    ranks, high : [m]
        Their ranks; the largest logarithms of strengths that are told apart.
    free : float
        Columns without a penalty.
    sought : OpenStrengths
    search : Search
    found : Estimate
    """

    gamma: np.ndarray
    score: np.ndarray
    info: Information
    pearson: float
    nobs: float
    scaled: bool
    forms: tuple[QuadraticForm, ...]
    ranks: np.ndarray
    high: np.ndarray
    free: float
    sought: OpenStrengths
    search: Search
    found: Estimate

    @classmethod
    def of(
        cls,
        problem: Problem,
        family: Family,
        options: Options,
        found: Estimate,
        sought: OpenStrengths,
    ) -> "_WorkingModel":
        search = Search(problem, family, options, found.totals)
        at = search.settings.point(found.gamma, AT_BETA)
        sums = fetched(found.source.reduce(full_moments, family, at))
        info = sums.info
        if not isinstance(info, tuple) and np.ndim(info) != 2:
            raise DataError(
                f"the strengths of {', '.join(sought.labels)} are estimated with an information "
                f"matrix, and {problem.n_columns:,} columns are too many for one: give them, as in "
                "penalty=jg.Smooth(0.1)"
            )
        info = jax.tree.map(lambda part: np.asarray(part, float), info)
        forms = tuple(_in_basis(search, found, form) for form in sought.forms)
        diagonal = np.asarray(diagonal_of(info, np), float)
        near = np.log([_ratio(diagonal, form) for form in forms])
        ranks = np.array([rank_of(form.matrix) for form in sought.forms], float)
        return cls(
            gamma=found.gamma,
            score=np.asarray(sums.score, float),
            info=info,
            pearson=float(sums.pearson),
            nobs=float(found.totals.nobs),
            scaled=not family.dispersion_fixed,
            forms=forms,
            ranks=ranks,
            high=near + _FARTHEST,
            free=found.gamma.size - ranks.sum() - sought.fixed,
            sought=sought,
            search=search,
            found=found,
        )

    def best(self, rho: np.ndarray) -> np.ndarray:
        """Where the restricted likelihood is greatest, from logarithms of strengths [m].

        Newton's method, with steps halved that lead past the top.
        """
        low, high = self.high - 2 * _FARTHEST, self.high
        rho = np.clip(rho, low, high)
        slopes, curvature = self._slopes(rho)
        for _ in range(_MOST_STEPS):
            if not np.isfinite(curvature).all():  # nothing is left of the response
                break
            values, vectors = np.linalg.eigh(curvature)
            sizes = np.maximum(np.abs(values), 1e-9 * max(1.0, np.abs(values).max()))
            step = -vectors @ ((vectors.T @ slopes) / sizes)
            step *= min(1.0, _LONGEST / np.abs(step).max()) if step.any() else 1.0
            for _ in range(30):
                new = np.clip(rho + step, low, high)
                after, curvature = self._slopes(new)
                moved = new - rho
                if moved @ after <= 0.5 * abs(moved @ slopes):
                    break
                step = 0.5 * step
            rho, slopes = new, after
            if np.abs(moved).max() < 1e-10:
                break
        return rho

    def left(self, rho: np.ndarray) -> np.ndarray:
        """Effective degrees of freedom [m] of the terms."""
        _, root = self._at(rho)
        return np.array(self.sought.widths) - [
            form.times(lam).degrees_of_freedom(root)
            for lam, form in zip(np.exp(rho), self.forms, strict=True)
        ]

    def _at(self, rho: np.ndarray) -> tuple[Penalty, Root]:
        """The penalty at strengths, and a root of the inverse information that it leaves."""
        total = self.sought.total(np.exp(rho))
        assert isinstance(total, QuadraticForm)
        penalty = _in_basis(self.search, self.found, total)
        info = jax.tree.map(lambda part: np.asarray(part, float), penalty.added_to(self.info))
        return penalty, root_of_inverse(info)

    def _slopes(self, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient [m] and second derivative [m, m] of minus the restricted log-likelihood.

        With A = H + P the information with the penalty P = sum_j P_j, b the optimum of the working
        model at these strengths, r_j the rank of P_j and phi the dispersion, the gradient is
        (b'P_j b / phi + tr A^-1 P_j - r_j) / 2 (Wood 2011, JRSS B 73, with the weights held).
        """
        penalty, root = self._at(rho)
        before = np.array(penalty.score(jnp.asarray(self.gamma)), float)
        step = -root.times(self.score + before)
        beta = self.gamma + step
        after = np.array(penalty.score(jnp.asarray(beta)), float)
        # step' H step, where (H + P) step = -(score + before).
        squares = self.pearson + 2 * self.score @ step
        squares -= step @ (self.score + after)
        scaled = [form.times(lam) for lam, form in zip(np.exp(rho), self.forms, strict=True)]
        pulls = [np.array(form.score(jnp.asarray(beta)), float) for form in scaled]
        inside = np.array([beta @ pull for pull in pulls])
        traces = np.array([form.degrees_of_freedom(root) for form in scaled])
        df = max(self.nobs - self.free, 1.0)
        phi = 1.0
        if self.scaled:
            phi = (squares + 2 * float(penalty.loss(jnp.asarray(beta)))) / df
        if not phi > 0:
            nothing = np.full(len(scaled), np.nan)
            return nothing, np.outer(nothing, nothing)
        slopes = 0.5 * (inside / phi + traces - self.ranks)
        curvature = np.diag(0.5 * (inside / phi + traces))
        curvature -= 0.5 * _products(scaled, root)
        along = [root.times(pull) for pull in pulls]
        curvature -= np.array([[pull @ other for other in along] for pull in pulls]) / phi
        if self.scaled:
            curvature -= 0.5 * np.outer(inside, inside) / (phi**2 * df)
        return slopes, curvature


def _in_basis(search: Search, found: Estimate, form: QuadraticForm) -> QuadraticForm:
    """A form of public columns in the basis of an estimate, with the weight of the rows."""
    own = form.take(search.problem.order).beside(float(search.totals.weight))
    penalty = found.basis.penalty(own)
    assert isinstance(penalty, QuadraticForm)
    return penalty


def _products(forms: list[QuadraticForm], root: Root) -> np.ndarray:
    """Traces of A^-1 P_j A^-1 P_k, [m, m], from a root of A^-1."""
    seen = [_through(form, root) for form in forms]
    out = np.array([[np.sum(one * other) for other in seen] for one in seen])
    for j, form in enumerate(forms):
        # What stands on the diagonal of the root belongs to one form, which is diagonal there.
        if form.matrix.ndim == 1 and root.diagonal.any():
            own = np.asarray(form.matrix) * root.diagonal**2
            lengths = np.asarray(form.matrix) * np.sum(root.dense**2, axis=1)
            out[j, j] += np.sum(own * (own + 2 * lengths))
    return out


def _through(form: QuadraticForm, root: Root) -> np.ndarray:
    """F' P F for the dense root F."""
    matrix = np.asarray(form.matrix, float)
    held = matrix[:, None] * root.dense if matrix.ndim == 1 else matrix @ root.dense
    return root.dense.T @ held

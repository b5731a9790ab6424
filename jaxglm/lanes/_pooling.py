"""Owns the common distribution of the coefficients of many segments: its mean and covariance.

Coefficients of segments are draws from a normal distribution. A fit of each under a prior ends at a
working model of its own, a quadratic function of p numbers, and the restricted likelihood of mean
and covariance is one of these: it is maximised without the rows, fits under the new prior follow,
and so on until the two agree (Breslow and Clayton 1993, JASA 88, 9-25). The estimates are empirical
Bayes: each segment counts for as much as its rows tell.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxglm._status import DataError
from jaxglm.lanes._fits import Fits
from jaxglm.penalties import QuadraticForm

_MOST_ROUNDS, _MOST_STEPS = 40, 200
# In units of what the rows of an average segment tell: a variance of less is none, and changes of
# less are no changes.
_NONE, _SETTLED, _STILL = 1e-4, 1e-6, 1e-10
_LEAST_DISPERSION = 1e-18
# Directions in which a root may be turned without effect have no curvature.
_FLAT = 1e-10
# Numbers in the working models that the distribution is estimated from; of more, some at random.
_MOST_NUMBERS = 20_000_000


class Prior(NamedTuple):
    """The distribution of coefficients, public order, and the dispersion of the response.

    Attributes
    ----------
    mean : [p]
    covariance : [p, p]
    dispersion : float
    """

    mean: np.ndarray
    covariance: np.ndarray
    dispersion: float

    @property
    def penalty(self) -> QuadraticForm:
        """The prior beside the loss at dispersion 1."""
        return QuadraticForm(self.dispersion * np.linalg.inv(self.covariance), self.mean)


def pooled(
    fit: Callable[[QuadraticForm], Fits], start: Prior, *, scaled: bool
) -> tuple[Fits, Prior]:
    """Fits of all segments under the distribution that they have in common, and this.

    Parameters
    ----------
    fit : callable
        Fits all segments under a penalty.
    start : Prior
    scaled : bool
        Whether the dispersion is estimated, the same in all segments.
    """
    prior, diagonal = start, None
    for _ in range(_MOST_ROUNDS):
        fits = fit(prior.penalty)
        models = _WorkingModels.of(fits, prior)
        if models.s.shape[0] < 2:
            break
        if diagonal is None:
            # So many covariances are not told by few segments.
            p = prior.mean.size
            diagonal = models.s.shape[0] < 2 * p * (p + 1)
        best = models.best(prior, diagonal=diagonal)
        if scaled:
            best = best._replace(dispersion=models.dispersion(fits, best))
            if not best.dispersion > _LEAST_DISPERSION * start.dispersion:
                raise DataError(
                    "toward='pooled' has no dispersion to go by: segments by themselves leave "
                    "nothing of the response; fit them without toward="
                )
        if models.distance(prior, best) < _SETTLED:
            break
        prior = best
    return fits, prior


class _WorkingModels(NamedTuple):
    """Of segments, all or very many: s'b - b'H b / 2 for each, in units of the dispersion.

    Attributes
    ----------
    H : [G, p, p]
    s : [G, p]
    unit : [p]
        The root of the mean of the diagonals of H.
    """

    H: np.ndarray
    s: np.ndarray
    unit: np.ndarray

    @classmethod
    def of(cls, fits: Fits, prior: Prior) -> "_WorkingModels":
        which = np.flatnonzero(fits.usable)
        count, p = which.size, prior.mean.size
        most = max(_MOST_NUMBERS // p**2, 1)
        if count > most:
            which = np.sort(np.random.default_rng(0).choice(which, most, replace=False))
        dense = fits.covariance.root.dense[which]
        inverse = np.linalg.inv(dense @ dense.swapaxes(1, 2)) / prior.dispersion
        precision = np.linalg.inv(prior.covariance)
        coef = np.nan_to_num(fits.coef[which])
        H = inverse - precision
        s = np.einsum("gij,gj->gi", inverse, coef) - precision @ prior.mean
        mean = np.diagonal(H.mean(axis=0)) if which.size else np.ones(p)
        unit = np.sqrt(np.where(mean > 0, mean, 1.0))
        return cls(H, s, unit)

    def best(self, prior: Prior, *, diagonal: bool) -> Prior:
        """Where the restricted likelihood is greatest, sought in a root of the covariance.

        With W_g the precision of what segment g tells, and r_g the standardised distance of that
        from the mean, the slope along the covariance is S / 2 with S = sum r r' - W + W C W, where
        C is the covariance of the mean, and minus the expected second derivative sum W x W / 2. In
        a root L, of which the covariance is L L', directions without variance are inside.
        """
        L = self._root(prior.covariance, diagonal)
        p = len(L)
        free = np.flatnonzero(np.eye(p).ravel()) if diagonal else np.arange(p * p)
        mean, slope, W = self._slope(L)
        for _ in range(_MOST_STEPS):
            flat = W.reshape(len(W), p * p)
            second = (flat.T @ flat).reshape(p, p, p, p).transpose(0, 3, 1, 2)
            # Along a change of L the covariance changes by L dL' + dL L' + dL dL'.
            along = np.einsum("ik,jl->ijkl", np.eye(p), L)
            along = (along + along.transpose(1, 0, 2, 3)).reshape(p * p, p * p)[:, free]
            curvature = along.T @ second.reshape(p * p, p * p) @ along / 2
            curvature -= np.kron(slope, np.eye(p))[np.ix_(free, free)]
            gradient = (slope @ L).ravel()[free]
            values, vectors = np.linalg.eigh(curvature)
            sizes = np.maximum(np.abs(values), _FLAT * np.abs(values).max(initial=1e-300))
            step = np.zeros(p * p)
            step[free] = vectors @ ((vectors.T @ gradient) / sizes)
            new = L + step.reshape(p, p)
            moved = np.abs(self._in_units(new @ new.T - L @ L.T)).max()
            L = new
            mean, slope, W = self._slope(L)
            if moved <= _STILL * max(1.0, np.abs(self._in_units(L @ L.T)).max()):
                break
        return prior._replace(mean=mean, covariance=self._with_least(L @ L.T))

    def dispersion(self, fits: Fits, prior: Prior) -> float:
        """Pearson chi2 over what is left of the observations, of all segments together."""
        usable = fits.usable
        pearson = float(fits.scalars["pearson_chi2"][usable].sum())
        left = float(fits.scalars["df_resid"][usable].sum())
        # What the common mean takes beside what the segments do.
        precision = np.linalg.inv(prior.covariance)
        V = np.linalg.inv(self.H + precision)
        told = precision @ V @ self.H @ V @ precision
        _, _, W = self._slope(self._root(prior.covariance, diagonal=False))
        taken = np.trace(np.linalg.solve(W.sum(axis=0), told.sum(axis=0)))
        return pearson / max(left - taken, 1.0)

    def distance(self, one: Prior, other: Prior) -> float:
        """How far two are apart, beside what the rows of an average segment tell."""
        size = max(1.0, float(np.abs(self._in_units(other.covariance)).max()))
        covariances = np.abs(self._in_units(one.covariance - other.covariance)).max() / size
        means = np.abs(self.unit * (one.mean - other.mean)).max()
        scales = abs(one.dispersion / other.dispersion - 1)
        return float(max(covariances, means, scales))

    def _slope(self, L: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best mean, twice the slope [p, p] there, and the W of all segments."""
        HL = self.H @ L
        inner = np.linalg.inv(np.eye(len(L)) + L.T @ HL)
        W = self.H - HL @ inner @ HL.swapaxes(1, 2)
        told = self.s - np.einsum("gij,gjk,gk->gi", HL, inner, self.s @ L)
        total = W.sum(axis=0)
        mean = np.linalg.solve(total, told.sum(axis=0))
        apart = told - W @ mean
        slope = apart.T @ apart - total
        slope += np.einsum("gij,gjk->ik", W, np.linalg.solve(total, W))
        return mean, slope, W

    def _in_units(self, covariance: np.ndarray) -> np.ndarray:
        return covariance * np.outer(self.unit, self.unit)

    def _root(self, covariance: np.ndarray, diagonal: bool) -> np.ndarray:
        """A root of a covariance, or of its diagonal."""
        if diagonal:
            return np.diag(np.sqrt(np.diagonal(covariance)))
        values, vectors = np.linalg.eigh(self._in_units(covariance))
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return root / self.unit[:, None]

    def _with_least(self, covariance: np.ndarray) -> np.ndarray:
        """With so much variance everywhere that there is an inverse."""
        values, vectors = np.linalg.eigh(self._in_units(covariance))
        own = (vectors * np.maximum(values, _NONE)) @ vectors.T
        return own / np.outer(self.unit, self.unit)

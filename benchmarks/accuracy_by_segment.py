"""Owns the judgement of many fits: how far each segment's solution is from its own optimum.

Imports `accuracy` (for the gate), `formulas`, `shapes` and `segments`. The reference of every
segment is Newton's method in NumPy, many segments at once, on those formulas: no library that is
measured takes part. A segment is healthy if its columns have full rank and its optimum is finite
(and its shape, where that is part of the fit, not at its boundary).
A library has to be within the gate at each of the healthy ones that it fitted, whatever stands
beside them; of the others it is counted how many it answered as if they were ordinary.
"""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, shapes
from benchmarks.accuracy import GATE, MARGIN, TURNS, VERIFIED
from benchmarks.formulas import FIXED_DISPERSION, predictor, row_terms
from benchmarks.segments import Sorted
from benchmarks.spec import Columns, Spec

FULL_RANK = 1e-10
"""Smallest eigenvalue of X'X, its columns scaled to length one, at which they are told apart."""
FAR = 25.0
"""A linear predictor without its offset that is beyond this has left for infinity."""
CHUNK = 1 << 16


@dataclass(frozen=True)
class Reference:
    """The optimum of each segment, and the information there: the metric of the distance."""

    beta: np.ndarray
    information: np.ndarray
    healthy: np.ndarray
    decrement: float
    """Largest Newton decrement of a healthy segment, in standard errors."""
    shape: np.ndarray
    """Of each segment where it is part of the fit; elsewhere 1 with an information of 0."""
    shape_information: np.ndarray

    @property
    def verified(self) -> bool:
        return bool(self.healthy.any() and self.decrement < VERIFIED)

    def save(self, folder: Path) -> None:
        np.savez(folder / "reference.npz", **dataclasses.asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Reference":
        with np.load(folder / "reference.npz") as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
        return cls(**arrays | {"decrement": float(arrays["decrement"])})

    def describe(self) -> dict[str, Any]:
        """What a results line says of the reference."""
        return {
            "decrement": self.decrement,
            "verified": self.verified,
            "healthy": int(self.healthy.sum()),
            "unhealthy": int((~self.healthy).sum()),
        }


def find_reference(spec: Spec, columns: Columns) -> Reference:
    """The optimum of every segment."""
    if spec.family not in FIXED_DISPERSION:
        raise ValueError(f"the dispersion of {spec.family} is not computed by segment")
    rows = Sorted(spec, columns)

    def chunk(ends: tuple[int, int]) -> tuple[np.ndarray, ...]:
        y, X, offset = rows.rows(*ends)
        first = rows.starts[ends[0] : ends[1]] - rows.starts[ends[0]]
        return _Chunk(spec, y, X, offset, first).optimum()

    with ThreadPoolExecutor(machine.usable_cpus()) as pool:
        found = zip(*pool.map(chunk, _cut(rows.starts)), strict=True)
        beta, information, healthy, decrement, *shape = (np.concatenate(part) for part in found)
    worst = decrement[healthy].max() if healthy.any() else np.inf
    return Reference(beta, information, healthy, float(worst), *shape)


def _cut(starts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Runs of segments with about CHUNK rows, one segment at least."""
    first = 0
    while first < starts.size - 1:
        end = int(np.searchsorted(starts, starts[first] + CHUNK, "right")) - 1
        yield first, max(end, first + 1)
        first = max(end, first + 1)


class _Chunk:
    """Newton's method for segments whose rows stand one after the other."""

    def __init__(
        self,
        spec: Spec,
        y: np.ndarray,
        X: np.ndarray,
        offset: np.ndarray | None,
        first: np.ndarray,
    ):
        self.spec, self.y, self.X, self.first = spec, y, X, first
        self.offset = np.zeros(y.size) if offset is None else offset
        self.count, self.p = first.size, X.shape[1]
        self.of = np.repeat(np.arange(self.count), np.diff(np.append(first, y.size)))
        self.upper = np.triu_indices(self.p)
        self.shape = np.ones(self.count)
        self.shape_information = np.zeros(self.count)

    def total(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.first, axis=0)

    def gram(self, weight: np.ndarray) -> np.ndarray:
        """X' diag(weight) X of each segment."""
        H = np.empty((self.count, self.p, self.p))
        for i, j in zip(*self.upper, strict=True):
            H[:, i, j] = H[:, j, i] = self.total(weight * self.X[:, i] * self.X[:, j])
        return H

    def at(self, beta: np.ndarray) -> tuple[np.ndarray, Any]:
        """X beta and the terms there."""
        linear = np.einsum("ij,ij->i", self.X, beta[self.of])
        shape = self.shape[self.of] if self.spec.estimates_shape else None
        with np.errstate(over="ignore", invalid="ignore"):
            return linear, row_terms(self.spec, self.y, linear + self.offset, shape)

    def renew_shapes(self, linear: np.ndarray) -> None:
        """The likeliest shape of each segment at these linear predictors."""
        # One that has left for infinity, which is no matter any more, must not hold up the others.
        mu = np.exp(np.clip(linear, -FAR, FAR) + self.offset)
        self.shape, self.shape_information = shapes.likeliest(
            self.y, mu, self.shape, self.total, self.of
        )

    def optimum(self) -> tuple[np.ndarray, ...]:
        """Coefficients, information, whether healthy, decrement and shape, of each segment."""
        beta = np.zeros((self.count, self.p))
        beta[:, 0] = self._level()
        decrement = np.full(self.count, np.inf)
        sound = self._full_rank()
        going = sound.copy()
        linear, terms = self.at(beta)
        for _ in range(TURNS):
            if self.spec.estimates_shape:
                self.renew_shapes(linear)
                terms = self.at(beta)[1]
            gradient = self.total(terms.score[:, None] * self.X)
            H = self.gram(terms.observed)
            step = _solve(H, gradient, going)
            new = np.sqrt(np.maximum(np.einsum("gi,gi->g", gradient, step), 0.0))
            # Twice no better than before: what is left is rounding.
            done = (new < 1e-10) | ((new < VERIFIED) & (new >= 0.5 * decrement))
            decrement = np.where(going, new, decrement)
            sound &= np.maximum.reduceat(np.abs(linear), self.first) < FAR
            going &= sound & ~done
            if not going.any():
                break
            beta = self._moved(beta, step, going, self.total(terms.loss))
            linear, terms = self.at(beta)
        sound &= self.shape > shapes.BOUNDARY
        return (
            beta,
            self.gram(terms.expected),
            sound,
            decrement,
            self.shape,
            self.shape_information,
        )

    def _moved(
        self, beta: np.ndarray, step: np.ndarray, going: np.ndarray, loss: np.ndarray
    ) -> np.ndarray:
        """Each segment's step, halved until its loss does not rise."""
        size = going.astype(float)
        for _ in range(20):
            trial = beta - size[:, None] * step
            _, terms = self.at(trial)
            slack = 1e-12 * self.total(np.abs(terms.loss))
            worse = going & ~(self.total(terms.loss) <= loss + slack)
            if not worse.any():
                break
            size[worse] /= 2
        return trial

    def _level(self) -> np.ndarray:
        """The linear predictor of each segment's common mean, away from the ends of its range."""
        events, rows = self.total(self.y) + 0.5, self.total(np.ones(self.y.size)) + 1.0
        if self.spec.family == "binomial":
            return predictor(self.spec.link, events / rows)
        return np.log(events / self.total(np.exp(self.offset)))

    def _full_rank(self) -> np.ndarray:
        H = self.gram(np.ones(self.y.size))
        root = np.sqrt(np.einsum("gii->gi", H))
        root[root == 0.0] = 1.0
        smallest = np.linalg.eigvalsh(H / (root[:, :, None] * root[:, None, :]))[:, 0]
        return smallest > FULL_RANK


def _solve(H: np.ndarray, gradient: np.ndarray, going: np.ndarray) -> np.ndarray:
    """H^-1 gradient of the segments that are still going, 0 for the others."""
    step = np.zeros_like(gradient)
    root = np.sqrt(np.einsum("gii->gi", H[going]))
    scaled = H[going] / (root[:, :, None] * root[:, None, :])
    right = (gradient[going] / root)[:, :, None]
    step[going] = np.linalg.solve(scaled, right)[:, :, 0] / root
    return step


@dataclass(frozen=True)
class Verdict:
    """What many fits are worth.

    Attributes
    ----------
    distance : float
        Largest distance of a healthy segment's coefficients from its optimum, in standard errors.
    healthy, unhealthy : int
        Segments of each kind among those that were fitted.
    unanswered : int
        Healthy segments without finite coefficients; a single one is a failure.
    answered : int
        Unhealthy segments whose coefficients were given as those of an ordinary optimum.
    """

    distance: float
    healthy: int
    unhealthy: int
    unanswered: int
    answered: int

    @property
    def passed(self) -> bool:
        return self.distance < GATE and self.unanswered == 0

    @property
    def passed_with_margin(self) -> bool:
        return self.passed and self.distance < MARGIN * GATE

    @property
    def reason(self) -> str:
        if self.unanswered:
            return f"{self.unanswered} of {self.healthy} healthy segments without an answer"
        return f"distance {self.distance:.1e} standard errors"

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"gate": GATE, "passed": self.passed}


def judge(
    reference: Reference,
    beta: np.ndarray,
    segments: np.ndarray | None = None,
    shape: np.ndarray | None = None,
) -> Verdict:
    """Judge coefficients, one row for each segment, or for each of those that are named.

    Shapes that are part of the fit are judged with them, where the library tells them.
    """
    which = np.arange(reference.healthy.size) if segments is None else segments
    if beta.shape != (which.size, reference.beta.shape[1]):
        raise ValueError(f"coefficients of shape {beta.shape} for {which.size} segments")
    healthy = reference.healthy[which]
    finite = np.isfinite(beta).all(axis=1)
    judged = healthy & finite
    of = which[judged]
    away = beta[judged] - reference.beta[of]
    squares = np.einsum("gi,gij,gj->g", away, reference.information[of], away)
    if shape is not None:
        squares += (
            reference.shape_information[of] * np.log(shape[judged] / reference.shape[of]) ** 2
        )
    return Verdict(
        distance=float(np.sqrt(squares.max(initial=0.0))),
        healthy=int(healthy.sum()),
        unhealthy=int((~healthy).sum()),
        unanswered=int((healthy & ~finite).sum()),
        answered=int((~healthy & finite).sum()),
    )

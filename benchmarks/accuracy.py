"""Owns the judgement: how far a library's own solution is from the optimum.

Everything is computed here in float64 NumPy, by chunks of rows, from `formulas`: neither
jaxglm nor any other library that is measured takes part. The reference is Newton's method on the
same formulas, accepted only if its own decrement, at the point that is kept, is under
`VERIFIED` standard errors.

The distance is sqrt((b - b*)' H (b - b*) / phi), with H the expected information and phi the
dispersion at the optimum b*. It is the largest error, in standard errors, of any linear combination
of the coefficients, hence at least max |b - b*| / se, and it does not depend on how factors are
coded: it is computed as sqrt(sum_i w_i (eta_i - eta*_i)^2 / phi), for which a library that absorbs
its factors need not even have coefficients. Where a shape is part of the fit, the error of its
logarithm is part of the distance, if the library tells the shape: expected information has no
entries between the two.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks import machine, shapes
from benchmarks.formulas import FIXED_DISPERSION, Terms, predictor, row_terms
from benchmarks.spec import Columns, Spec

GATE = 1e-3
"""Largest distance to the optimum, in standard errors, at which a run counts."""
MARGIN = 0.5
"""Share of the gate that the loosest tolerance may use up, so that no turn of it is a near miss."""
VERIFIED = 1e-6
"""Largest Newton decrement of a reference, in standard errors."""
CHUNK = 1 << 16
HEAD = 1 << 20
"""Rows whose optimum is the start for a longer dense X: two or three passes over it remain."""
TURNS = 100
T = TypeVar("T")


class Rows:
    """X as NumPy sees it: products with it, and Newton steps with its largest factor eliminated."""

    def __init__(self, spec: Spec, columns: Columns):
        self.n, self.p = spec.n, spec.p
        self.X = columns.X
        if spec.door == "table" and not spec.factors:
            self.X = np.column_stack([np.ones(spec.n), *columns.numeric.values()])
        self.offset = None if columns.exposure is None else np.log(columns.exposure)
        self.codes = list(columns.codes.values())
        self.sizes = list(spec.factors.values())
        self.numeric = np.column_stack(list(columns.numeric.values())) if columns.numeric else None
        ends = np.cumsum([1, *(size - 1 for size in self.sizes)])
        self.slices = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.first_numeric = int(ends[-1])

    def chunks(self) -> Iterator[slice]:
        for at in range(0, self.n, CHUNK):
            yield slice(at, min(at + CHUNK, self.n))

    def over_chunks(self, function: Callable[[slice], T]) -> Iterator[T]:
        """What a function makes of each chunk, in their order; a thread for each usable CPU."""
        with ThreadPoolExecutor(machine.usable_cpus()) as pool:
            yield from pool.map(function, self.chunks())

    def eta(self, beta: np.ndarray) -> np.ndarray:
        """X beta + offset."""
        out = np.zeros(self.n) if self.offset is None else self.offset.copy()
        tables = [np.concatenate([[0.0], beta[part]]) for part in self.slices]

        def add(rows: slice) -> None:
            if self.X is not None:
                out[rows] += self.X[rows].astype(float) @ beta
                return
            out[rows] += beta[0]
            for codes, table in zip(self.codes, tables, strict=True):
                out[rows] += table[codes[rows]]
            if self.numeric is not None:
                out[rows] += self.numeric[rows] @ beta[self.first_numeric :]

        for _ in self.over_chunks(add):
            pass
        return out

    def sums(self, v: np.ndarray, *, squared: bool = False) -> np.ndarray:
        """X'v, or with squared entries of X: the diagonal of X' diag(v) X."""
        power = 2 if squared else 1
        out = np.zeros(self.p)
        if self.X is not None:
            X = self.X
            return sum(self.over_chunks(lambda rows: v[rows] @ X[rows].astype(float) ** power), out)
        out[0] = v.sum()
        for codes, size, part in zip(self.codes, self.sizes, self.slices, strict=True):
            out[part] = np.bincount(codes, v, size)[1:]
        if self.numeric is not None:
            for rows in self.chunks():
                out[self.first_numeric :] += v[rows] @ self.numeric[rows] ** power
        return out

    def newton(self, weight: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """H^-1 gradient, with H = X' diag(weight) X."""
        if self.X is not None:
            X = self.X

            def gram(rows: slice) -> np.ndarray:
                block = X[rows].astype(float)
                return block.T @ (weight[rows, None] * block)

            H = sum(self.over_chunks(gram), np.zeros((self.p, self.p)))
            return np.linalg.solve(H, gradient)
        # The block of the largest factor is diagonal, A; the rest is small:
        # [A B; B' C] d = g is solved through S = C - B' A^-1 B.
        largest = int(np.argmax(self.sizes))
        part = self.slices[largest]
        rest = np.ones(self.p, bool)
        rest[part] = False
        size = self.sizes[largest]
        A = np.bincount(self.codes[largest], weight, size)[1:]
        B = np.zeros((size, int(rest.sum())))
        C = np.zeros((B.shape[1], B.shape[1]))

        def products(rows: slice):
            block = self._others(rows, largest)
            weighted = block.multiply(weight[rows, None]).tocsr()
            crossed = (self._indicator(largest, rows).T @ weighted).tocoo()
            return (block.T @ weighted).toarray(), crossed

        for square, product in self.over_chunks(products):
            C += square
            B[product.row, product.col] += product.data
        B = B[1:]
        scaled = B / A[:, None]
        d = np.empty(self.p)
        d[rest] = np.linalg.solve(C - B.T @ scaled, gradient[rest] - scaled.T @ gradient[part])
        d[part] = gradient[part] / A - scaled @ d[rest]
        return d

    def _indicator(self, factor: int, rows: slice):
        from scipy import sparse

        codes = self.codes[factor][rows]
        ones = np.ones(codes.size)
        shape = (codes.size, self.sizes[factor])
        return sparse.csr_array((ones, (np.arange(codes.size), codes)), shape=shape)

    def _others(self, rows: slice, largest: int):
        from scipy import sparse

        count = rows.stop - rows.start
        parts: list[Any] = [np.ones((count, 1))]
        others = [factor for factor in range(len(self.codes)) if factor != largest]
        parts.extend(self._indicator(factor, rows)[:, 1:] for factor in others)
        if self.numeric is not None:
            parts.append(self.numeric[rows])
        return sparse.hstack([sparse.csr_array(part) for part in parts], format="csr")


@dataclass(frozen=True)
class Reference:
    """The optimum, or why there is none to compare with."""

    beta: np.ndarray
    eta: np.ndarray
    metric: np.ndarray
    """Expected information of each row over the dispersion: the weights of the distance."""
    objective: float
    decrement: float
    dispersion: float
    shape: float | None = None
    shape_information: float = 0.0
    """Of the logarithm of a shape that is part of the fit; 0 for any other problem."""

    @property
    def verified(self) -> bool:
        return bool(self.decrement < VERIFIED)

    def save(self, folder: Path) -> None:
        kept = {name: value for name, value in asdict(self).items() if value is not None}
        np.savez(folder / "reference.npz", **kept)

    @classmethod
    def read(cls, folder: Path) -> "Reference":
        with np.load(folder / "reference.npz") as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
        numbers: dict[str, Any] = {k: float(v) for k, v in arrays.items() if not v.ndim}
        return cls(**arrays | numbers)

    def describe(self) -> dict[str, Any]:
        """What a results line says of the reference."""
        named = ("objective", "decrement", "dispersion", "shape", "verified")
        return {name: getattr(self, name) for name in named}


def find_reference(spec: Spec, columns: Columns) -> Reference:
    """Newton's method with the observed information, halving its steps.

    A shape that is part of the fit is renewed before each step. That converges, since the two have
    next to no information in common.
    """
    rows, y = Rows(spec, columns), columns.y
    beta = _first_point(spec, columns)
    eta = rows.eta(beta)
    shape, information = 1.0 if spec.estimates_shape else spec.shape, 0.0
    terms = row_terms(spec, y, eta, shape)
    best = np.inf
    for _ in range(TURNS):
        if spec.estimates_shape:
            assert shape is not None
            shape, information = _shape(y, np.exp(eta), shape)
            terms = row_terms(spec, y, eta, shape)
        gradient = rows.sums(terms.score)
        step = rows.newton(terms.observed, gradient)
        if gradient @ step <= 0:
            step = rows.newton(terms.expected, gradient)
        phi = _dispersion(spec, terms)
        decrement = float(np.sqrt(max(gradient @ step, 0.0) / phi))
        # Twice no better than before: what is left is rounding.
        if decrement < 1e-10 or (decrement < VERIFIED and decrement >= 0.5 * best):
            break
        best = decrement
        loss, size = terms.loss.sum(), 1.0
        while size > 1e-6:
            trial = beta - size * step
            with np.errstate(all="ignore"):
                eta = rows.eta(trial)
                terms = row_terms(spec, y, eta, shape)
                new = terms.loss.sum()
            if new <= loss + 1e-12 * np.abs(terms.loss).sum():
                break
            size /= 2
        beta = trial
    return Reference(
        beta,
        eta,
        terms.expected / phi,
        float(terms.loss.sum()),
        decrement,
        float(phi),
        shape,
        information,
    )


def _shape(y: np.ndarray, mu: np.ndarray, start: float) -> tuple[float, float]:
    """The likeliest shape of one fit, and the information on its logarithm."""
    of = np.zeros(y.size, np.int8)
    found, information = shapes.likeliest(
        y, mu, np.array([start]), lambda values: np.array([values.sum()]), of
    )
    return float(found[0]), float(information[0])


def _first_point(spec: Spec, columns: Columns) -> np.ndarray:
    """The common mean; for a long dense X the optimum of its first rows, an honest sample."""
    if columns.X is not None and spec.n > 4 * HEAD:
        head = Columns(columns.y[:HEAD], X=columns.X[:HEAD])
        return find_reference(dataclasses.replace(spec, n=HEAD), head).beta
    beta = np.zeros(spec.p)
    mean = columns.y.sum() / (spec.n if columns.exposure is None else columns.exposure.sum())
    beta[0] = predictor(spec.link, mean)
    return beta


def _dispersion(spec: Spec, terms: Terms) -> float:
    if spec.family in FIXED_DISPERSION:
        return 1.0
    return float(terms.pearson.sum() / (spec.n - spec.p))


@dataclass(frozen=True)
class Verdict:
    """What a solution is worth.

    Attributes
    ----------
    distance : float
        To the optimum, in standard errors; see the module.
    gradient : float
        Norm of the gradient of the objective, each entry over the root of its diagonal element of
        the information (times the dispersion), so that its unit is standard errors too.
    objective, excess : float
        Negative log-likelihood at dispersion 1 up to a constant, and its excess over the optimum's.
    """

    distance: float
    gradient: float
    objective: float
    excess: float

    @property
    def passed(self) -> bool:
        return bool(self.distance < GATE)  # nan fails

    @property
    def passed_with_margin(self) -> bool:
        return bool(self.distance < MARGIN * GATE)

    @property
    def reason(self) -> str:
        return f"distance {self.distance:.1e} standard errors"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"gate": GATE, "passed": self.passed}


def judge(
    spec: Spec,
    columns: Columns,
    reference: Reference,
    *,
    beta: np.ndarray | None = None,
    eta: np.ndarray | None = None,
    shape: float | None = None,
) -> Verdict:
    """Judge a solution given by its coefficients or by its linear predictor (offset included).

    A shape that is part of the fit is judged with them, where the library tells it.
    """
    rows = Rows(spec, columns)
    if eta is None:
        assert beta is not None
        if beta.shape != (spec.p,):
            raise ValueError(f"{beta.size} coefficients of a model with {spec.p}")
        eta = rows.eta(np.asarray(beta, float))
    with np.errstate(all="ignore"):
        terms = row_terms(spec, columns.y, eta, reference.shape)
        gradient = rows.sums(terms.score)
        scale = np.sqrt(rows.sums(reference.metric, squared=True)) * reference.dispersion
        objective = float(terms.loss.sum())
        squares = np.sum(reference.metric * (eta - reference.eta) ** 2)
        if reference.shape_information and shape is not None:
            assert reference.shape is not None
            squares += reference.shape_information * np.log(shape / reference.shape) ** 2
    return Verdict(
        float(np.sqrt(squares)),
        float(np.linalg.norm(gradient / scale)),
        objective,
        objective - reference.objective,
    )

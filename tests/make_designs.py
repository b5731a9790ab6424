"""Small designs of every kind, each beside its dense form made with NumPy alone."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from jaxglm.designs import Categorical, Dense, Design, Sparse, Split, from_matrix

N = 21
_rng = np.random.default_rng(12)
NUMERIC = _rng.normal(size=(N, 3))
MULTIPLIER = _rng.normal(size=N)
CODES = _rng.integers(0, 4, size=N).astype(np.int32)  # 3 is the reference: no column
OTHER_CODES = _rng.integers(0, 3, size=N).astype(np.int32)
CONTRASTS = ((1.0, 0.5), (-1.0, 0.5), (0.0, -2.0))
HOLES = np.where(_rng.uniform(size=(N, 4)) < 0.3, _rng.normal(size=(N, 4)), 0.0)
HOLES[4] = 0.0


@dataclass(frozen=True)
class Pair:
    """A design with NumPy leaves, and the matrix that it stands for."""

    design: Design
    dense: np.ndarray


def one_hot(codes: np.ndarray, width: int) -> np.ndarray:
    return (codes[:, None] == np.arange(width)) * 1.0


def sparse(matrix: np.ndarray) -> Sparse:
    design, _ = from_matrix(scipy.sparse.csr_array(matrix))
    assert isinstance(design, Sparse)
    return design


def factor() -> Pair:
    return Pair(Categorical(CODES, None, 3), one_hot(CODES, 3))


def factor_by_number() -> Pair:
    return Pair(
        Categorical(CODES, MULTIPLIER, 3),
        one_hot(CODES, 3) * MULTIPLIER[:, None],
    )


def contrasted() -> Pair:
    return Pair(
        Categorical(OTHER_CODES, None, 3, CONTRASTS),
        np.array(CONTRASTS)[OTHER_CODES],
    )


def contrasted_by_number() -> Pair:
    return Pair(
        Categorical(OTHER_CODES, MULTIPLIER, 3, CONTRASTS),
        np.array(CONTRASTS)[OTHER_CODES] * MULTIPLIER[:, None],
    )


def split(*parts: Pair, numeric: np.ndarray = NUMERIC) -> Pair:
    factors = [part.design for part in parts]
    assert all(isinstance(part, Categorical) for part in factors)
    return Pair(
        Split(Dense(numeric), tuple(factors)),  # type: ignore[arg-type]
        np.column_stack([numeric, *(part.dense for part in parts)]),
    )


DESIGNS = {
    "dense": Pair(Dense(NUMERIC), NUMERIC),
    "dense of float32 values": Pair(
        Dense(NUMERIC.astype(np.float32)), NUMERIC.astype(np.float32).astype(float)
    ),
    "factor": factor(),
    "factor by number": factor_by_number(),
    "factor with contrasts": contrasted(),
    "factor with contrasts by number": contrasted_by_number(),
    "split of one factor": split(factor()),
    "split of four factors": split(
        factor(), contrasted(), factor_by_number(), contrasted_by_number()
    ),
    "split without numbers": split(factor(), contrasted(), numeric=np.empty((N, 0))),
    "sparse": Pair(sparse(HOLES), HOLES),
    "sparse of float32 values": Pair(
        sparse(HOLES.astype(np.float32)), HOLES.astype(np.float32).astype(float)
    ),
    "sparse without entries": Pair(sparse(np.zeros((N, 2))), np.zeros((N, 2))),
}

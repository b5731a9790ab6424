"""Weighted least squares of the numbers as given, in 120 digits."""

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 120


def exact_least_squares(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors of the Gaussian model with identity link."""
    n, p = X.shape
    w = np.ones(n) if weight is None else weight
    rows = [[mp.mpf(float(v)) for v in row] for row in X]
    y_exact, w_exact = [mp.mpf(float(v)) for v in y], [mp.mpf(float(v)) for v in w]
    gram, moment = mp.matrix(p, p), mp.matrix(p, 1)
    for row, response, weight_i in zip(rows, y_exact, w_exact, strict=True):
        for i in range(p):
            moment[i] += weight_i * row[i] * response
            for j in range(i + 1):
                gram[i, j] += weight_i * row[i] * row[j]
    for i in range(p):
        for j in range(i):
            gram[j, i] = gram[i, j]
    inverse = mp.inverse(gram)
    beta = inverse * moment
    rest = mp.mpf(0)
    for row, response, weight_i in zip(rows, y_exact, w_exact, strict=True):
        rest += weight_i * (response - sum(a * b for a, b in zip(row, beta, strict=True))) ** 2
    scale = rest / (n - p)
    coefficients = np.array([float(b) for b in beta])
    return coefficients, np.array([float(mp.sqrt(scale * inverse[j, j])) for j in range(p)])

"""Owns the record of many fits: the fields of `Fit` as arrays with a leading axis of segments.

Imports `_record` and NumPy only. Like a single record it holds no data, names or code.
"""

import dataclasses
from typing import Any

import numpy as np

from jaxglm._record import Fit

# Fields of `Fit` that are one number; how each is stored.
_SCALARS: dict[str, Any] = {
    "deviance": float,
    "null_deviance": float,
    "pearson_chi2": float,
    "log_likelihood": float,
    "null_log_likelihood": float,
    "likelihood_params": np.int32,
    "objective": float,
    "decrement": float,
    "n_rows": np.int64,
    "n_patterns": np.int64,
    "nobs": float,
    "weight_sum": float,
    "df_model": float,
    "df_resid": float,
    "scale": float,
    "turns": np.int32,
    "status": np.int8,
    "alpha": float,
    "alpha_se": float,
}


@dataclasses.dataclass(frozen=True)
class Fits:
    """G fits of the same p columns; see `Fit` for what the fields mean.

    Attributes
    ----------
    coef : [G, p]
    cov_root, cov_diagonal : [G, p, p], [G, p]
    aliased, absent, infinite : [G, p] bool
        `absent`: zero in all rows of the segment, and therefore aliased.
    scalars : dict of [G]
        The fields of `Fit` that are numbers.
    words : dict
        By segment where they are not the usual ones: method, stopped_by, notes.
    usual : (str, str)
        Method and test of the segments without words.
    """

    coef: np.ndarray
    cov_root: np.ndarray
    cov_diagonal: np.ndarray
    aliased: np.ndarray
    absent: np.ndarray
    infinite: np.ndarray
    scalars: dict[str, np.ndarray]
    words: dict[int, tuple[str, str, tuple[str, ...]]]
    usual: tuple[str, str]

    @classmethod
    def empty(cls, count: int, p: int, usual: tuple[str, str]) -> "Fits":
        """Room for so many fits; nan and status 0 until they are put in."""
        return cls(
            coef=np.full((count, p), np.nan),
            cov_root=np.full((count, p, p), np.nan),
            cov_diagonal=np.zeros((count, p)),
            aliased=np.zeros((count, p), bool),
            absent=np.zeros((count, p), bool),
            infinite=np.zeros((count, p), bool),
            scalars={
                name: np.full(count, np.nan) if kind is float else np.zeros(count, kind)
                for name, kind in _SCALARS.items()
            },
            words={},
            usual=usual,
        )

    def put(self, g: int, fit: Fit) -> None:
        """Write one fit."""
        self.coef[g], self.aliased[g], self.infinite[g] = fit.coef, fit.aliased, fit.infinite
        root = np.zeros_like(self.cov_root[g])
        root[:, : fit.cov_root.shape[1]] = fit.cov_root
        self.cov_root[g], self.cov_diagonal[g] = root, fit.cov_diagonal
        for name in _SCALARS:
            value = getattr(fit, name)
            if value is not None:
                self.scalars[name][g] = value
        self.words[g] = fit.method, fit.stopped_by, fit.notes

    def one(self, g: int) -> Fit:
        """One fit as a record of its own."""
        method, stopped_by, notes = self.words.get(g, (*self.usual, ()))
        scalars: dict[str, Any] = {name: values[g].item() for name, values in self.scalars.items()}
        if np.isnan(scalars["alpha"]):
            scalars["alpha"] = scalars["alpha_se"] = None
        return Fit(
            coef=self.coef[g].copy(),
            cov_root=self.cov_root[g].copy(),
            cov_diagonal=self.cov_diagonal[g].copy(),
            aliased=self.aliased[g].copy(),
            infinite=self.infinite[g].copy(),
            method=method,
            stopped_by=stopped_by,
            notes=notes,
            **scalars,
        )

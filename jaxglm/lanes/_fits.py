"""Owns the record of many fits: the fields of `Fit` as arrays with a leading axis of segments.

Like a single record it holds no data, names or code.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Covariance, Relations
from jaxglm.search import REDUCED, Coefficients, Fit

# Fields of `Fit` that are one number; how each is stored.
SCALARS: dict[str, Any] = {
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


class Words(NamedTuple):
    """The fields of a fit that are text."""

    method: str
    stopped_by: str
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Fits(Coefficients):
    """G fits of the same p columns; see `Fit` for what the fields mean.

    Attributes
    ----------
    coef : [G, p]
    covariance : Covariance
        With a leading axis of fits.
    absent : [G, p] bool
        Columns that are zero in all rows of a segment: aliased, and nothing is known of them.
    baseless : [G, p] bool
        Columns that others determine because a segment lacks the reference level that they are
        compared with: aliased, and no fault of the data either.
    of_levels : [p] bool
        Columns in which a factor has a part: absent where a segment lacks a level, which is no
        fault of the data. A column of numbers that are all zero is one. All columns until that is
        told: a sample of the rows may lack any by chance.
    shaped : [G] bool
        Whether the negative binomial shape was estimated: `alpha` is nan where that failed.
    scalars : dict of [G]
        The fields of `Fit` that are numbers.
    words : dict of Words
        By segment where they are not the usual ones.
    usual : Words
        Those of the other segments.
    relations : dict of Relations or None
        By segment, where aliased columns follow from others; None where that is not known.
    relations_at_limit : dict of Relations
        By segment, where separation leaves more open than what runs to infinity.
    """

    absent: np.ndarray
    baseless: np.ndarray
    of_levels: np.ndarray
    shaped: np.ndarray
    scalars: dict[str, np.ndarray]
    words: dict[int, Words]
    usual: Words
    relations: dict[int, Relations] | None
    relations_at_limit: dict[int, Relations]

    @classmethod
    def empty(cls, count: int, p: int, usual: tuple[str, str], *, use_t: bool) -> "Fits":
        """Room for so many fits; nan and status 0 until they are put in.

        `usual` are the method and the test that ends most of them; `use_t` tells whether their
        dispersion is estimated.
        """
        return cls(
            coef=np.full((count, p), np.nan),
            covariance=Covariance.empty(count, p, use_t=use_t),
            absent=np.zeros((count, p), bool),
            baseless=np.zeros((count, p), bool),
            of_levels=np.ones(p, bool),
            shaped=np.zeros(count, bool),
            scalars={
                name: np.full(count, np.nan) if kind is float else np.zeros(count, kind)
                for name, kind in SCALARS.items()
            },
            words={},
            usual=Words(*usual),
            relations={},
            relations_at_limit={},
        )

    def put(self, g: int, fit: Fit, absent: np.ndarray) -> None:
        """Write one fit; `absent` [p] tells which columns are zero in all of its rows."""
        self.coef[g] = fit.coef
        self.absent[g], self.shaped[g] = absent, fit.alpha is not None
        self.covariance.put(g, fit.covariance)
        for name in SCALARS:
            value = getattr(fit, name)
            if value is not None:
                self.scalars[name][g] = value
        self.relate(g, fit.relations)
        if fit.relations_at_limit.aliased.size:
            self.relations_at_limit[g] = fit.relations_at_limit
        self.say(g, Words(fit.method, fit.stopped_by, fit.notes))

    def forget_limits(self, which: np.ndarray) -> None:
        """Let some separated fits, [k] int, be as if nothing ran to infinity: they come again."""
        self.covariance.recession[which] = 0.0
        self.covariance.open[which] = False
        for g in which.tolist():
            self.relations_at_limit.pop(g, None)

    def refuse(self, g: int, why: str) -> None:
        """Say that the rows of a segment cannot be fitted."""
        self.scalars["status"][g] = Status.INVALID
        self.words[g] = Words("", "", (why,))

    def relate(self, g: int, relations: Relations | None) -> None:
        """Keep how the aliased columns of one fit follow from others, where they do."""
        if self.relations is not None and relations is not None and relations.aliased.size:
            self.relations[g] = relations

    def say(self, g: int, words: Words) -> None:
        """Keep the words of one fit where they are not the usual ones."""
        if words == self.usual:
            self.words.pop(g, None)
        else:
            self.words[g] = words

    def one(self, g: int) -> Fit:
        """One fit as a record of its own."""
        method, stopped_by, notes = self.words.get(g, self.usual)
        scalars: dict[str, Any] = {name: values[g].item() for name, values in self.scalars.items()}
        if not self.shaped[g]:
            scalars["alpha"] = scalars["alpha_se"] = None
        return Fit(
            coef=self.coef[g].copy(),
            covariance=self.covariance.one(g),
            method=method,
            stopped_by=stopped_by,
            notes=notes,
            relations=self.relations_of(g),
            relations_at_limit=self.relations_at_limit.get(g, Relations.none()),
            **scalars,
        )

    def relations_of(self, g: int) -> Relations | None:
        """How the aliased columns of one fit follow from others; None where that is not known."""
        return None if self.relations is None else self.relations.get(g, Relations.none())

    @property
    def count(self) -> int:
        """G."""
        return self.coef.shape[0]

    @property
    def fitted(self) -> np.ndarray:
        """Segments whose rows could be fitted, however that ended; [G] bool."""
        return self.scalars["status"] != Status.INVALID

    @property
    def usable(self) -> np.ndarray:
        """Segments whose coefficients are an optimum; [G] bool."""
        return np.isin(self.scalars["status"], [s for s in Status if s.usable])

    @property
    def reduced(self) -> np.ndarray:
        """Segments whose estimates are without their first-order bias; [G] bool."""
        return self.methods == REDUCED

    @property
    def methods(self) -> np.ndarray:
        """The method that answered in each segment; [G] of text, "" where none did."""
        out = np.full(self.count, self.usual.method, dtype=object)
        for g, words in self.words.items():
            out[g] = words.method
        return out

    def collinear(self, which: int | slice = slice(None)) -> np.ndarray:
        """Columns that others determine, whatever levels a segment has; [p] or [G, p] bool.

        Where a segment has no column left, that is said of all.
        """
        aliased = self.aliased[which]
        lacking = self.absent[which] & self.of_levels | self.baseless[which]
        excused = lacking & ~aliased.all(axis=-1, keepdims=True)
        return aliased & ~excused

    @property
    def n_parameters(self) -> np.ndarray:
        """What AIC counts; [G]."""
        return (~self.aliased).sum(axis=1) + self.scalars["likelihood_params"]

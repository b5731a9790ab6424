"""Owns the score test: whether further columns would improve a model, from the model alone."""

import dataclasses
import datetime
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import root_of_inverse
from jaxglm.designs import append
from jaxglm.families import Family
from jaxglm.inference._overdispersion import equals
from jaxglm.inference._shown import as_text
from jaxglm.inference.comparisons._deviance import Dispersion, chi2_tail
from jaxglm.inference.comparisons._likelihood import beside_robust
from jaxglm.inference.comparisons._submodels import check_optimum
from jaxglm.intake import Dataset, Model
from jaxglm.rows import Problem
from jaxglm.search import Fit, condition, smallest_pivot
from jaxglm.sources import Block
from jaxglm.sums import Point, full_moments
from jaxglm.words import statistic, understands_habits


def score_statistic(problem: Problem, family: Family, eta: np.ndarray) -> tuple[float, int]:
    """Rao's score statistic at dispersion 1 of all columns of a problem, and their rank.

    ``U' I^-1 U`` with the score U and the expected information I of the columns at linear
    predictors `eta` [n], which are those of a smaller model.
    """
    rows = dataclasses.replace(problem.rows, offset=eta)
    problem = problem.with_block(Block(problem.design, rows))
    basis, source = condition(problem, problem.source, smallest_pivot(problem.dtype), None)
    k, dtype = int(basis.keep.sum()), problem.dtype
    zero = dtype.type(0)
    at = Point(np.zeros(k, dtype), np.bool_(False), np.int32(0), zero, zero)
    sums = jax.device_get(source.reduce(full_moments, family, at))
    return root_of_inverse(sums.info).norm(sums.score) ** 2, k


@dataclasses.dataclass(frozen=True, repr=False)
class ScoreTest:
    """Rao's test of further columns.

    Attributes
    ----------
    statistic : float
        Chi-squared with `df` degrees of freedom where the new columns have no effect.
    df : int
        What they add to the rank; 0 where they are combinations of the columns of the fit.
    pvalue : float
        nan where there is nothing to test.
    scale : float
        The dispersion that the statistic was divided by.
    columns : int
    notes : tuple of str
        What a reader should know, in sentences.
    """

    statistic: float
    df: int
    pvalue: float
    scale: float
    columns: int
    notes: tuple[str, ...] = ()

    @understands_habits
    def summary_frame(self) -> pd.DataFrame:
        """One row: the statistic, its p-value and its degrees of freedom."""
        table = self.tidy().set_axis(["chi2", "P>chi2", "df constraint"], axis=1)
        return table.set_axis([f"{self.columns} further columns"])

    @understands_habits
    def tidy(self) -> pd.DataFrame:
        """One row: `statistic, p_value, df`."""
        return pd.DataFrame(
            {"statistic": [self.statistic], "p_value": [self.pvalue], "df": [self.df]}
        )

    def __str__(self) -> str:
        head = f"Score test of {self.columns} further column{'' if self.columns == 1 else 's'}"
        if self.df == 0:
            return f"{head}: combinations of those of the fit, nothing to test"
        found = f"{head}: {statistic(self.statistic)} on {self.df} df, p {equals(self.pvalue)}"
        return as_text(found, None, self.notes)

    __repr__ = __str__


def score_test(fit: Fit, model: Model, extra: Any) -> ScoreTest:
    """Rao's test of further columns at a fit; see `Results.score_test`."""
    what = "score_test()"
    check_optimum(fit, model, what)
    if fit.infinite.any():
        raise DataError(
            "The fit is separated, and at infinite coefficients rows say nothing of further "
            "columns: fit them and compare the two with jaxglm.anova(m1, m2)."
        )
    held = model.held(what)
    values = _columns(extra, held)
    with computing():
        design, order = append(held.block.design, held.order, values)
        eta = held.columns.matvec(np.where(fit.aliased, 0.0, fit.coef))
        if held.rows.offset is not None:
            eta = eta + held.rows.offset
        wider = Problem.of_block(Block(design, held.rows), order, np.dtype(np.float64))
        found, rank = score_statistic(wider, wider.narrowed(model.family), eta)
    df, phi = rank - int((~fit.aliased).sum()), Dispersion.of(fit).value
    value = found / phi if df else np.nan
    said = (*fit.covariance.expected.notes, beside_robust(fit, "This test is"))
    notes = tuple(filter(None, said))
    return ScoreTest(value, df, float(chi2_tail(value, df)), phi, values.shape[1], notes)


def _places(extra: Any, held: Dataset, kept: np.ndarray) -> np.ndarray:
    """Where the rows of a fit stand among all that were given, by labels where there are any."""
    if not hasattr(extra, "iloc") or held.index is None or extra.index[kept].equals(held.index):
        return kept
    unique = extra.index.is_unique
    places = extra.index.get_indexer(held.index) if unique else np.full(kept.size, -1)
    if (places < 0).any():
        raise DataError(
            "the index of exog_extra is not that of the data: give the same index, or a NumPy "
            "array with one row per row of the fit"
        )
    return places


def _is_words(extra: Any, values: np.ndarray) -> bool:
    """Whether what was given is not of numbers, though its values may be written in digits."""
    types = getattr(extra, "dtypes", getattr(extra, "dtype", None))
    if any(isinstance(one, pd.CategoricalDtype) for one in np.ravel(np.array(types, object))):
        return True
    if values.dtype.kind == "O":
        return any(isinstance(value, str | bytes | datetime.date) for value in values.flat)
    return values.dtype.kind not in "biuf"


def _columns(extra: Any, held: Dataset) -> np.ndarray:
    """Further columns for the rows of a fit, [n, k]."""
    values = np.asarray(extra)
    if _is_words(extra, values):
        raise DataError(
            "exog_extra holds text, categories or dates; jaxglm.design('~ g', data).X has the "
            "columns of a factor"
        )
    if values.ndim == 1:
        values = values[:, None]
    given = f"exog_extra has shape {np.shape(extra)}"
    if values.ndim != 2 or values.shape[1] == 0:
        raise DataError(f"{given}: give one value, or a row of values, for each row of the fit")
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(float)
        except (TypeError, ValueError):
            raise DataError("exog_extra holds what is no number") from None
    values = values.astype(float)
    n, rows = len(held.rows), held.kept
    if len(values) == held.n_given and rows is not None:
        values = values[_places(extra, held, rows)]
    elif len(values) == n and hasattr(extra, "iloc") and held.index is not None:
        order = io.check_aligned(extra.index, held.index, "exog_extra", "the data")
        values = values if order is None else values[order]
    if len(values) != n:
        many = f"{n:,}" if held.n_given == n else f"{n:,}, of the {held.n_given:,} given"
        raise DataError(f"{given}, and the fit has {many} rows")
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1) & held.rows.live)
    if bad.size:
        raise DataError(
            f"exog_extra has values that are missing or infinite in {bad.size:,} rows of the fit "
            f"(first: {', '.join(map(str, held.labels_of(bad[:5])))}): fit again to the rows that "
            "are complete"
        )
    return np.where(np.isfinite(values), values, 0.0)

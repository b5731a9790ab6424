"""Owns `cross_validate`: models along a path, held against rows that they have not seen."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.diagnostics import roc_area
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.inference import column_of_table, row_codes
from jaxglm.intake import (
    Dataset,
    Given,
    Intake,
    chosen_dtype,
    penalised_columns,
    row_vectors,
    table_intake,
)
from jaxglm.penalties import AskedPenalty, thresholded_of
from jaxglm.results import CrossValidation
from jaxglm.rows import Fold, folds_of, forward_folds, random_folds, without
from jaxglm.search import Path
from jaxglm.sources import Block
from jaxglm.verbs._order import check_formula
from jaxglm.verbs._path import AskedPath, at_strength_one, path_results, warn_of_ends
from jaxglm.words import check_choice, check_seed, is_from, understands_habits

# Newton decrement, in standard errors, at which an optimum of a fold ends.
_TOL = 1e-2

Measure = Literal["deviance", "auc", "mae"]
_MEASURES = {"deviance": "mean deviance", "auc": "1 - AUC", "mae": "mean absolute error"}


@understands_habits
def cross_validate(
    formula: str,
    data: Any,
    family: Family | str = "gaussian",
    *,
    folds: Any = 10,
    by: Any = None,
    time: Any = None,
    seed: int = 0,
    measure: Measure = "deviance",
    penalty: AskedPenalty | None = None,
    l1_ratio: float = 1.0,
    lambdas: Sequence[float] | None = None,
    n_lambdas: int = 100,
    lambda_min_ratio: float | None = None,
    standardize: bool = False,
    penalty_factor: Any = None,
    link: Any = None,
    freq_weights: Any = None,
    var_weights: Any = None,
    trials: Any = None,
    offset: Any = None,
    exposure: Any = None,
    proportions: bool | None = None,
    missing: Literal["raise", "drop"] = "raise",
    tol: float | None = None,
    max_turns: int = 1000,
    dtype: str = "float64",
    context: Mapping[str, Callable] | None = None,
) -> CrossValidation:
    """Choose the strength of a penalty by how well rows are predicted that no fit has seen.

    The strengths are those of `fit_path` on all rows. For each fold a path is fitted to the other
    rows, and its models are held against those of the fold.

    Parameters
    ----------
    formula, data, family, link
        As for `glm`.
    folds : int or array
        How many folds, or the fold of each row of the table.
    by : column name or array, optional
        Rows with the same value stay in one fold: those of one person, say.
    time : column name or array, optional
        Folds are parts of the time, and each is held against a fit to what was before it.
    seed : int
        Of the division at random.
    measure : {"deviance", "auc", "mae"}
        The loss: mean deviance, one minus the area under the ROC curve, or mean absolute error,
        each weighted by the weights of the rows.
    penalty, l1_ratio, lambdas, n_lambdas, lambda_min_ratio, standardize, penalty_factor
        As for `fit_path`.
    freq_weights, var_weights, trials, offset, exposure, proportions, missing
        As for `glm`.
    tol : float, optional
        As for `fit_path` on all rows. The folds end at 0.01 standard errors unless it is given:
        what that changes in a loss is a ten-thousandth of what a coefficient counts for.
    max_turns, dtype, context
        As for `fit_path`.

    Returns
    -------
    CrossValidation

    Raises
    ------
    DataError, ValueError
        As for `fit_path`; also for folds that cannot be.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> cv = jg.cross_validate("y ~ a + b + c", table, "poisson", folds=5, seed=1)
    >>> cv.folds.shape == (len(cv.lambdas), 5)
    True
    """
    check_formula("cross_validate", formula, data)
    one = at_strength_one(penalty, l1_ratio, standardize, penalty_factor)
    asked = AskedPath.of(one, lambdas, n_lambdas, lambda_min_ratio, tol, max_turns)
    division = Division.of(folds, by, time, seed, lambda name: column_of_table(data, name))
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_intake(formula, data, given)
    return validated(intake, asked, division, measure)


@dataclasses.dataclass(frozen=True)
class Division:
    """How rows are to be divided into folds; see `cross_validate`.

    `column` makes the values of a column of the table from its name.
    """

    folds: Any
    by: Any
    time: Any
    seed: int
    column: Callable[[str], Any]

    @classmethod
    def of(
        cls, folds: Any, by: Any, time: Any, seed: Any, column: Callable[[str], Any]
    ) -> "Division":
        """Check the arguments.

        Raises
        ------
        ValueError
        """
        check_seed(seed)
        if is_from(folds, -1e300, 1e300):
            if folds < 2 or int(folds) != folds:
                raise ValueError(f"folds must be a whole number of 2 or more, not {folds!r}")
            if by is not None and time is not None:
                raise ValueError("by= and time= divide the rows each in its own way: leave out one")
        elif by is not None or time is not None:
            raise ValueError("folds that are given row by row leave nothing to by= and time=")
        return cls(folds, by, time, seed, column)

    def folds_in(self, held: Dataset) -> list[Fold]:
        """The folds of the rows of a fit.

        Raises
        ------
        DataError
        """
        n, live = len(held.rows), held.rows.live

        def codes(given: Any, called: str) -> np.ndarray:
            values = self.column(given) if isinstance(given, str) else given
            return row_codes(values, held, called, np.ones_like(live))

        if not is_from(self.folds, 2):
            return list(folds_of(codes(self.folds, "folds")))
        count = int(self.folds)
        if self.time is not None:
            return list(forward_folds(codes(self.time, "time"), count))
        groups = None if self.by is None else codes(self.by, "by")
        return list(folds_of(random_folds(n, count, self.seed, groups)))


def validated(
    intake: Intake, asked: AskedPath, division: Division, measure: Measure
) -> CrossValidation:
    """The cross-validation of a model that has been read."""
    check_choice("measure", measure, tuple(_MEASURES))
    problem, family = intake.problem, intake.model.family
    if measure == "auc" and tuple(family.mean_domain) != (0.0, 1.0):
        raise ValueError("measure='auc' is for outcomes of 0 and 1: take 'deviance' or 'mae'")
    held = intake.model.held("cross_validate()")
    folds = division.folds_in(held)
    path = path_results(intake, asked, compress=False)
    means = np.full((problem.n_rows, len(path)), np.nan)
    with computing(problem.dtype == np.float64):
        for fold in folds:
            means[fold.held_out] = _out_of_fold(intake, asked, fold, path.lambdas)
        losses = [_losses(intake, fold, means, measure) for fold in folds]
    weight = [float(problem.rows.weight[fold.held_out].sum()) for fold in folds]
    return CrossValidation.of(
        path, np.transpose(losses), weight, means, held.labels, _MEASURES[measure]
    )


def _out_of_fold(intake: Intake, asked: AskedPath, fold: Fold, strengths: np.ndarray) -> np.ndarray:
    """Means [m, k] of the rows held out, at each strength."""
    problem, model = intake.problem, intake.model
    family, rows = model.family, problem.rows
    weight = without(rows.weight, fold)
    if not weight.any():
        raise DataError("A fold leaves no row with a weight to fit: take fewer folds.")
    some = problem.with_block(Block(problem.design, dataclasses.replace(rows, weight=weight)))
    penalty = thresholded_of(asked.penalty, penalised_columns(some, model))
    path = Path(some, some.narrowed(family), asked.options(model.names, _TOL), penalty)
    points = list(path.along(strengths))
    warn_of_ends(points, "a fold")
    coef = np.stack([point.coef for point in points], axis=1)[problem.order]
    held = np.flatnonzero(fold.held_out)
    eta = np.asarray(problem.design.take_rows(held).matvec(jnp.asarray(coef)), float)
    if rows.offset is not None:
        eta = eta + rows.offset[held, None]
    return np.asarray(family.link.inverse(jnp.asarray(eta)), float)


def _losses(intake: Intake, fold: Fold, means: np.ndarray, measure: Measure) -> np.ndarray:
    """The loss of a fold at each strength, [k]."""
    rows, family = intake.problem.rows, intake.model.family
    live = fold.held_out & (rows.weight > 0)
    y, weight, mean = rows.y[live], rows.weight[live], means[live]
    if measure == "auc":
        if not (weight @ y > 0 and weight @ (1 - y) > 0):
            raise DataError(
                "A fold holds outcomes of one kind only, so it has no area under the ROC curve: "
                "take fewer folds, or another measure."
            )
        return np.array([1 - roc_area(y, column, weight) for column in mean.T])
    if measure == "mae":
        return np.average(np.abs(y[:, None] - mean), axis=0, weights=weight)
    unit = family.unit_deviance(jnp.asarray(y)[:, None], jnp.asarray(mean))
    return np.average(np.asarray(unit, float), axis=0, weights=weight)

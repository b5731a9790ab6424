"""Owns robust covariances of one fit, and that of the observed information: a bread and a meat."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm._tuning import tuning
from jaxglm.algebra import (
    Bordered,
    Covariance,
    Root,
    factorise,
    full_matrix,
    root_of,
    root_of_inverse,
    without_negative,
)
from jaxglm.families import Family
from jaxglm.inference.covariances import _corrections
from jaxglm.inference.covariances._asked import Asked, how_made, idle, indefinite, kind_of
from jaxglm.inference.covariances._clustered import check_counts, clustered, intersections
from jaxglm.inference.covariances._nested import nested
from jaxglm.inference.covariances._serial import automatic_lags, check_times, serial
from jaxglm.intake import Dataset
from jaxglm.rows import constant_column
from jaxglm.search import Fit
from jaxglm.sources import Resident, Source, in_parts
from jaxglm.sums import ALONE, Rooted, leverages, meat, observed_gram
from jaxglm.words import count

# Below this pivot the observed information is that of no maximum.
_LEAST_PIVOT = 1e-10
POWERS = {"HC0": 0.0, "HC1": 0.0, "HC2": 1.0, "HC3": 2.0}


@dataclasses.dataclass(frozen=True)
class Estimated:
    """Rows with the estimate that a covariance is asked of.

    Attributes
    ----------
    source : Source
        Design order, in float64.
    order : [p] int
        The public position of each design column.
    family : Family
        With all parameters known.
    coef : [p]
        Public order; nan where aliased.
    covariance : Covariance
        Of the expected information.
    nobs : float
    rank : int
        Coefficients that were free: constraints take some, as aliased columns do.
    constant : int or None
        The public position of the intercept.
    """

    source: Source
    order: np.ndarray
    family: Family
    coef: np.ndarray
    covariance: Covariance
    nobs: float
    rank: int
    constant: int | None

    @classmethod
    def of(cls, fit: Fit, family: Family, held: Dataset) -> "Estimated":
        """A fit with the rows that a result holds."""
        source = Resident(held.block, np.dtype(np.float64))
        rank = round(fit.nobs - fit.df_resid)
        constant = constant_column(held.block.design)
        return cls(
            source,
            held.order,
            family,
            fit.coef,
            fit.covariance.expected,
            fit.nobs,
            rank,
            None if constant is None else int(held.order[constant[0]]),
        )

    @property
    def beside_levels(self) -> np.ndarray:
        """Columns with an error that no large factor spans, as its levels and the constant; [p]."""
        covariance = self.covariance
        levels = covariance.root.diagonal != 0
        if levels.any() and self.constant is not None:
            levels[self.constant] = True
        return ~(levels | covariance.aliased | covariance.infinite | covariance.open)

    def at(self, root: Root) -> Rooted:
        """The estimate with a root, in design order."""
        coef = np.where(self.covariance.aliased, 0.0, self.coef)[self.order]
        diagonal = root.diagonal[self.order] if root.diagonal.any() else None
        return Rooted(coef, root.dense[self.order], diagonal)


def covariance_of(estimated: Estimated, asked: Asked) -> Covariance:
    """The covariance asked for.

    Raises
    ------
    DataError
        For one cluster only, rows of leverage 1 under HC2 and HC3, an observed information that is
        not positive definite, or a fit without a matrix to start from.
    """
    with computing():
        bread = estimated.covariance
        if np.isnan(bread.root.dense).any():
            raise DataError(
                "This fit has no covariance to begin with: it has too many columns for an "
                "information matrix, or came to no optimum."
            )
        if asked.information == "observed":
            bread = observed(estimated)
        if asked.kind == "nonrobust":
            return bread
        return _sandwich(estimated, bread, asked)


def observed(estimated: Estimated) -> Covariance:
    """The inverse of the observed information, minus the second derivatives of the likelihood."""
    covariance = estimated.covariance
    if estimated.family.canonical:
        note = "Observed and expected information are the same with this link."
        return covariance.another(covariance.root, "nonrobust", (note,))
    at = estimated.at(covariance.root)
    source, family = estimated.source, estimated.family
    gram = _with_diagonal(source.reduce(observed_gram, family, at), at)
    if isinstance(gram, Bordered):  # levels that others determine, or constraints, have no entry
        own: Any = np.where(_of_levels(at, gram) == 0, 1.0, gram.diagonal)
        gram = gram._replace(diagonal=own)
    if not float(factorise(jax.tree.map(jnp.asarray, gram), jnp.zeros(())).pivot) > _LEAST_PIVOT:
        raise DataError(
            "The observed information is not positive definite at the estimate, so it has no "
            "inverse that could be a covariance; information='expected' has one."
        )
    inner = root_of_inverse(gram)
    dense, diagonal = covariance.root
    q = dense.shape[1]
    along = dense @ inner.dense[:q]
    own = np.zeros_like(diagonal)
    if at.diagonal is not None:
        levels = estimated.order[-(inner.diagonal.size - q) :]
        along[levels] += diagonal[levels, None] * inner.dense[q:]
        own[levels] = diagonal[levels] * inner.diagonal[q:]
    asked = Asked(information="observed")
    return covariance.another(Root(along, own), kind_of(asked), (how_made(asked),))


def _sandwich(estimated: Estimated, bread: Covariance, asked: Asked) -> Covariance:
    n, k = estimated.nobs, estimated.rank
    if n <= k:
        raise DataError(
            f"{count(n)} observations for {k} coefficients: nothing is left over that could tell "
            "how much they vary, so there is no robust covariance."
        )
    if asked.times is not None and asked.max_lags is None:
        longest = np.bincount(asked.times.series).max()
        asked = dataclasses.replace(asked, max_lags=int(automatic_lags(longest)))
    df, notes = bread.df, [how_made(asked), *idle(asked)]
    if asked.kind == "HC":
        root = bread.root
        matrix = _heteroscedastic(estimated, estimated.at(root), asked)
    else:
        root = _all_columns(estimated, bread.root)
        at = estimated.at(root)._replace(diagonal=None)
        if asked.kind == "cluster":
            notes += check_counts(asked.names, asked.clusters, k)
            matrix = _by_clusters(estimated, at, asked)
            df = None if df is None else float(min(way.count for way in asked.clusters) - 1)
        else:
            assert asked.times is not None and asked.max_lags is not None
            notes += check_times(asked.times, asked.max_lags, k)
            matrix = serial(estimated.source, estimated.family, at, asked.times, asked.max_lags)
            matrix *= _corrections.of_lags(asked.correction, n, k)
    dense, signs, more = _dressed(estimated, root, matrix)
    notes += more
    if signs is not None:
        notes.append(indefinite(asked, levels=bool(bread.root.diagonal.any())))
        if asked.sets_negative_to_zero:
            dense, signs = _without_negative(estimated, dense, signs)
    return bread.another(
        Root(dense, np.zeros(root.diagonal.size)),
        kind_of(asked),
        tuple(notes),
        signs=signs,
        scale=np.nan if np.isnan(bread.scale) else 1.0,
        df=df,
    )


def _without_negative(
    estimated: Estimated, dense: np.ndarray, signs: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """As where a large factor is absorbed: what its levels share with others is left as it is."""
    told = ~np.isnan(dense).any(axis=1)
    root, signs_found = without_negative(dense[told], signs, estimated.beside_levels[told])
    out = np.full((dense.shape[0], root.shape[1]), np.nan)
    out[told] = root
    return out, signs_found


def _dressed(
    estimated: Estimated, root: Root, matrix: Any
) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """The bread around the meat, as a root with signs: the bread's times that of the meat.

    And what to say.
    """
    q, notes = root.dense.shape[1], []
    whole = matrix
    if isinstance(matrix, Bordered):
        few = estimated.order.size <= tuning().most_robust
        whole = np.asarray(full_matrix(matrix)) if few else matrix.corner
    middle, signs = root_of(whole)
    dense = root.dense @ middle[:q]
    if middle.shape[0] > q:
        levels = estimated.order[-(middle.shape[0] - q) :]
        dense[levels] += root.diagonal[levels, None] * middle[q:]
    elif root.diagonal.any():
        levels = np.flatnonzero(root.diagonal)
        dense[levels] = np.nan
        notes.append(
            f"The {count(levels.size)} levels of the largest factor have no robust standard "
            "errors, and predictions no intervals: those of the other coefficients are exact."
        )
    return dense, signs, notes


def _all_columns(estimated: Estimated, root: Root) -> Root:
    """The root with the diagonal among its dense columns, where they are few enough."""
    if not root.diagonal.any() or estimated.order.size > tuning().most_robust:
        return root
    levels = np.flatnonzero(root.diagonal)
    more = np.zeros((root.diagonal.size, levels.size))
    more[levels, np.arange(levels.size)] = root.diagonal[levels]
    return Root(np.concatenate([root.dense, more], axis=1), np.zeros(root.diagonal.size))


def _heteroscedastic(estimated: Estimated, at: Rooted, asked: Asked) -> Any:
    power = np.float64(POWERS[asked.type])
    found = jax.device_get(estimated.source.reduce(meat, estimated.family, at, power))
    # Under separation rows that run to their limits say nothing, whatever their leverage.
    if found.alone > 0 and not estimated.covariance.infinite.any():
        raise DataError(_alone(estimated, at, asked.type))
    factor = _corrections.of_rows(asked.correction, asked.type, estimated.nobs, estimated.rank)
    return jax.tree.map(lambda part: part * factor, _with_diagonal(found.matrix, at))


def _by_clusters(estimated: Estimated, at: Rooted, asked: Asked) -> np.ndarray:
    ways = list(intersections(asked.clusters))
    counts = [way.count for _, way in ways]
    k = estimated.rank
    if asked.correction == "fixest":
        determined = ~estimated.covariance.aliased[estimated.order]
        inside = int(nested(estimated.source, asked.clusters, determined[None])[0])
        if inside and k < determined.sum():
            raise DataError(
                "correction='fixest' leaves out the coefficients of factors nested in the "
                "clusters, which are not to be counted under constraints: take another correction"
            )
        k -= inside
    parts = []
    for i, (sign, way) in enumerate(ways):
        factor = _corrections.of_clusters(
            asked.correction, asked.type, estimated.nobs, k, counts, i, adjust=asked.adjust
        )
        parts.append((sign * factor, way))
    return clustered(estimated.source, estimated.family, at, parts, asked.type)


def _with_diagonal(gram: Any, at: Rooted) -> Any:
    """Sums in root coordinates, those of levels multiplied by their entries of the diagonal."""
    gram = jax.device_get(gram)
    if not isinstance(gram, Bordered):
        return gram
    own = _of_levels(at, gram)
    return Bordered(gram.corner, gram.border * own[:, None], gram.diagonal * own**2)


def _of_levels(at: Rooted, gram: Bordered) -> np.ndarray:
    """The entries of a root's diagonal for the levels that were eliminated."""
    assert at.diagonal is not None
    return np.asarray(at.diagonal[-gram.diagonal.size :])


def _alone(estimated: Estimated, at: Rooted, kind: str) -> str:
    """Which rows have leverage 1, and what to do."""
    found: list[np.ndarray] = []
    width = at.dense.shape[1]
    for which, leverage in in_parts(estimated.source, leverages, estimated.family, at, width=width):
        found.append(which[leverage > 1 - ALONE])
    rows = np.concatenate(found)
    first = ", ".join(map(str, rows[:5].tolist())) + (", ..." if rows.size > 5 else "")
    noun = "row has" if rows.size == 1 else "rows have"
    return (
        f"{kind} divides by one less the leverage, and {rows.size:,} {noun} a leverage of 1 "
        f"(position {first} among the rows of the fit): such a row alone determines a coefficient, "
        "as the only row of a factor level does. Use HC0 or HC1, or merge that level with others."
    )

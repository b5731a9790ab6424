"""Owns norms of groups of coefficients: the minimum of a quadratic function with one of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Units in the last place that what is left of two numbers must be, to be more than rounding.
ROUNDING = 64
_MOST_STEPS = 100


class Norms(NamedTuple):
    """What is added for groups of coefficients: the sum over g of |weight_g * b_g|_2.

    Attributes
    ----------
    members : tuple of [G, m] int
        The coefficients of each group, in tables of groups whose sizes are within a factor of two;
        a shorter row is filled up with the number of coefficients p.
    weight : [p]
        0 for a coefficient in no group.
    """

    members: tuple[Any, ...]
    weight: Any

    @classmethod
    def of(cls, groups: Sequence[np.ndarray], weight: np.ndarray) -> "Norms":
        """Of the places of the coefficients of each group."""
        p = len(weight)
        of_size: dict[int, list[np.ndarray]] = {}
        for places in groups:
            of_size.setdefault((places.size - 1).bit_length(), []).append(places)
        tables = []
        for alike in of_size.values():
            table = np.full((len(alike), max(places.size for places in alike)), p, np.int32)
            for row, places in zip(table, alike, strict=True):
                row[: places.size] = places
            tables.append(table)
        return cls(tuple(tables), weight)

    def value(self, beta: jax.Array) -> jax.Array:
        """What is added."""
        lengths = [jnp.sum(_size(own)) for own in self._each(self.weight * beta)]
        return jnp.sum(jnp.stack(lengths))

    def violation(self, beta: Any, score: Any) -> jax.Array:
        """How far each coefficient's group is from its condition of optimality, [p].

        The length of what the slope lacks to the subdifferential of the norm, in the units in which
        the norm is taken, times the mean weight of the group.
        """
        out = jnp.zeros_like(beta)
        scaled = self._each(self.weight * beta)
        slopes = self._each(score / jnp.where(self.weight > 0, self.weight, 1.0))
        parts = zip(self.members, scaled, slopes, self._each(self.weight), strict=True)
        for members, u, slope, weight in parts:
            size = _size(u)
            towards = slope + u / jnp.where(size > 0, size, 1.0)
            apart = jnp.where(size > 0, _size(towards), jnp.maximum(_size(slope) - 1.0, 0.0))
            mean = jnp.sum(weight, axis=1, keepdims=True) / jnp.sum(weight > 0, axis=1)[:, None]
            out = out.at[members].set(mean * apart, mode="drop")
        return out

    def emptying(self, score: Any) -> jax.Array:
        """The least multiple of the norms that holds all groups at zero against this slope."""
        slopes = self._each(score / jnp.where(self.weight > 0, self.weight, 1.0))
        return jnp.max(jnp.stack([jnp.max(_size(slope)) for slope in slopes]))

    def take(self, columns: np.ndarray) -> "Norms":
        """Of some coefficients, in this order."""
        place = np.full(len(self.weight) + 1, len(columns), np.int32)
        place[columns] = np.arange(len(columns))
        return Norms(tuple(place[table] for table in self.members), self.weight[columns])

    def _each(self, values: Any) -> list[jax.Array]:
        """The values [p] of the groups, [G, m] of each table, filled up with 0."""
        return [_entries(values, table) for table in self.members]


class Blocks(NamedTuple):
    """Groups of a table beside a quadratic function, in coordinates u = weight * b.

    Attributes
    ----------
    members : [G, m] int
    weight : [G, m]
        0 where a row is filled up, and of a column without an entry.
    curvatures : [G, m]
        Eigenvalues of the function's second derivative in u.
    axes : [G, m, m]
        Eigenvectors, as columns.
    """

    members: jax.Array
    weight: jax.Array
    curvatures: jax.Array
    axes: jax.Array

    def at(self, g: Any) -> "Blocks":
        """One group of them."""
        return Blocks(*(part[g] for part in self))

    def nearest(self, beta: jax.Array, score: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The minimum in the coefficients of one group, [m], the others as they are.

        Along an axis of curvature h it is at pull / (h + 1 / r), where r is the length of the
        minimum itself; there is none but zero where the pull is no longer than 1.

        Returns
        -------
        change : [m]
            Of the coefficients.
        moved : []
            Its squared length in the metric of the function.
        """
        inside = self.weight > 0
        unit = jnp.where(inside, self.weight, 1.0)
        u = _entries(beta, self.members) * self.weight
        old = _times(self.axes.T, u)
        slope = _times(self.axes.T, jnp.where(inside, _entries(score, self.members) / unit, 0.0))
        pull = self.curvatures * old - slope
        size, eps = _length(pull), jnp.finfo(beta.dtype).eps
        away = size - 1 > ROUNDING * eps * size
        radius = _radius(pull, self.curvatures, _length(u), away)
        new = jnp.where(away, pull * radius / (self.curvatures * radius + 1), 0.0)
        moved = jnp.sum(self.curvatures * (new - old) ** 2)
        # Turning back and forth leaves rounding, which is no change.
        stays = moved <= (ROUNDING * eps) ** 2 * jnp.sum(self.curvatures * new**2)
        stays &= away == jnp.any(u != 0)
        turned = jnp.where(inside & away, _times(self.axes, new) / unit, 0.0)
        change = jnp.where(stays, 0.0, turned - _entries(beta, self.members))
        return change, jnp.where(stays, 0.0, moved)


def blocks_of(matrix: jax.Array, norms: Norms) -> list[Blocks]:
    """The groups of each table beside score'd + d' matrix d / 2."""
    found = []
    for members in norms.members:
        entry = _entries(jnp.diagonal(matrix), members)
        weight = jnp.where(entry > 0, _entries(norms.weight, members), 0.0)
        inverse = jnp.where(weight > 0, 1 / jnp.where(weight > 0, weight, 1.0), 0.0)
        square = matrix.at[members[:, :, None], members[:, None, :]].get(
            mode="fill", fill_value=0.0
        )
        curvatures, axes = jnp.linalg.eigh(square * inverse[:, :, None] * inverse[:, None, :])
        # Under this an eigenvalue is rounding, and may be negative.
        least = jnp.finfo(matrix.dtype).eps * curvatures[:, -1:]
        found.append(Blocks(members, weight, jnp.maximum(curvatures, least), axes))
    return found


def sweep_blocks(blocks: Blocks, matrix: jax.Array, known: tuple) -> tuple:
    """Visit each group of a table once.

    `known` are the coefficients [p], the slope [p] there, and the squared length moved so far.
    """

    def visit(g: jax.Array, known: tuple) -> tuple:
        beta, score, moved = known
        own = blocks.at(g)
        change, length = own.nearest(beta, score)

        def follow(_: Any, score: jax.Array) -> jax.Array:
            rows = matrix.at[own.members].get(mode="fill", fill_value=0.0)
            return score + _times(change, rows)

        # Groups that stay, most of them at zero, cost nothing more.
        score = jax.lax.fori_loop(0, jnp.any(change != 0).astype(jnp.int32), follow, score)
        return beta.at[own.members].add(change, mode="drop"), score, moved + length

    return jax.lax.fori_loop(0, blocks.members.shape[0], visit, known)


def _radius(pull: jax.Array, curvature: jax.Array, start: jax.Array, away: jax.Array) -> jax.Array:
    """The r at which |pull / (curvature r + 1)|_2 is 1, which is more than that at r = 0.

    One over that length is concave in r and rises: a Newton step from anywhere ends to the left of
    the root, and the following ones rise to it.
    """

    def step(state: tuple) -> tuple:
        radius, _, count = state
        along = curvature * radius + 1
        square = jnp.sum((pull / along) ** 2)
        slope = jnp.sum(curvature * pull**2 / along**3)
        new = radius + square * (jnp.sqrt(square) - 1) / slope
        new = jnp.maximum(new, 0.0)
        eps = jnp.finfo(pull.dtype).eps
        return new, jnp.abs(new - radius) > 4 * eps * new, count + 1

    def goes_on(state: tuple) -> jax.Array:
        return state[1] & (state[2] < _MOST_STEPS)

    return jax.lax.while_loop(goes_on, step, (start, away, jnp.zeros((), jnp.int32)))[0]


def _entries(values: Any, places: Any) -> jax.Array:
    """The entries at some places, 0 beyond the last."""
    return jnp.asarray(values).at[places].get(mode="fill", fill_value=0)


def _size(groups: jax.Array) -> jax.Array:
    """Lengths of the rows of a table, [G, 1]."""
    return jnp.linalg.norm(groups, axis=1, keepdims=True)


def _length(vector: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum(vector**2))


def _times(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)

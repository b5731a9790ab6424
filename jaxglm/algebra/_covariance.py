"""Owns the covariance of coefficients: what is said of it comes from a root and a dispersion."""

import dataclasses
from typing import Any, Protocol, Self

import numpy as np

from jaxglm.algebra._root import Root
from jaxglm.algebra._spread import Spread, roots, signed, squares

# A row moves along a direction of recession from here on; less is rounding.
MOVES = 1e-6


class Lines(Protocol):
    """Rows that linear predictors are of, in public column order."""

    def matvec(self, b: np.ndarray, /) -> np.ndarray:
        """X b, [n]."""

    def squared_lengths(self, dense: np.ndarray, signs: np.ndarray | None, /) -> np.ndarray:
        """Sums over the columns of (X dense)^2, [n]; with `signs` [k] of each column."""


@dataclasses.dataclass(frozen=True)
class Covariance:
    """The covariance of p coefficients on the link scale: `scale` times a root and its transpose.

    Standard errors and variances of predictions come from the root rather than from the product,
    which loses digits where large numbers cancel (a predictor far from zero). Of many fits at once
    the arrays lead with an axis of G fits.

    Attributes
    ----------
    root : Root
        [p, k] and [p], or [G, p, k] and [G, p]; rows of aliased columns are zero.
    aliased : [p] or [G, p] bool
        Columns that earlier columns determine: they have no coefficient and no part in a
        prediction, and what is said of them is nan.
    scale : float or [G]
        Dispersion, by which the root's product is multiplied.
    df : float, [G] or None
        Degrees of freedom of the reference distribution, Student's t; None for the normal.
    scale_by : str
        How the dispersion was found where that was asked for: "pearson", "deviance", "ml", or
        "given" for a number; empty for the family's own way.
    kind : str
        How the root was found: "nonrobust" is that of the inverse expected information.
    notes : tuple of str
        What has to be said of it, in sentences.
    base : Covariance or None
        That of the inverse expected information, where this one is another: what any other kind is
        made from.
    recession : [p] or [G, p]
        The direction in which coefficients run to infinity, as the row that it moves most measures
        it; 0 for those that do not. What is said of the others holds at the limit.
    open : [p] or [G, p] bool
        Columns that nothing determines beside those that run to infinity: what is said of their
        coefficients is nan.
    signs : [k], [G, k] or None
        -1 for the columns of the dense root that are subtracted, as clusterings of several ways
        can have them, and 1 for the others; None where all are added. A variance that comes out
        negative has no root, and is nan.

    Examples
    --------
    >>> import numpy as np
    >>> from jaxglm.algebra import Root
    >>> root = Root(np.array([[1.0, 0.0], [0.5, 1.0]]), np.zeros(2))
    >>> none = np.zeros(2)
    >>> covariance = Covariance(root, none != 0, 4.0, df=10.0, recession=none, open=none != 0)
    >>> covariance.standard_errors.round(3)
    array([2.   , 2.236])
    >>> covariance.matrix
    array([[4., 2.],
           [2., 5.]])
    """

    root: Root
    aliased: np.ndarray
    scale: Any
    df: Any
    recession: np.ndarray
    open: np.ndarray
    scale_by: str = ""
    kind: str = "nonrobust"
    notes: tuple[str, ...] = ()
    base: "Covariance | None" = None
    signs: np.ndarray | None = None

    @classmethod
    def empty(cls, count: int, p: int, *, use_t: bool) -> "Covariance":
        """Room for those of so many fits, nan until they are put in; `use_t` gives them a `df`."""
        return cls(
            root=Root(np.full((count, p, p), np.nan), np.zeros((count, p))),
            aliased=np.zeros((count, p), bool),
            scale=np.full(count, np.nan),
            df=np.full(count, np.nan) if use_t else None,
            recession=np.zeros((count, p)),
            open=np.zeros((count, p), bool),
        )

    def put(self, g: int, one: "Covariance") -> None:
        """Write that of one fit, whose root may have fewer columns."""
        dense, diagonal = self.root
        dense[g] = 0.0
        dense[g, :, : one.root.dense.shape[1]] = one.root.dense
        diagonal[g], self.aliased[g], self.scale[g] = one.root.diagonal, one.aliased, one.scale
        self.recession[g], self.open[g] = one.recession, one.open
        if self.df is not None:
            self.df[g] = one.df
        if self.signs is not None:
            self.signs[g] = 1.0
            if one.signs is not None:
                self.signs[g, : one.signs.size] = one.signs

    def one(self, g: int) -> "Covariance":
        """That of one fit, in arrays of its own."""
        return dataclasses.replace(
            self,
            root=Root(*(part[g].copy() for part in self.root)),
            aliased=self.aliased[g].copy(),
            recession=self.recession[g].copy(),
            open=self.open[g].copy(),
            scale=self.scale[g].item(),
            df=None if self.df is None else self.df[g].item(),
            base=None if self.base is None else self.base.one(g),
            signs=None if self.signs is None else self.signs[g].copy(),
        )

    @property
    def expected(self) -> "Covariance":
        """That of the inverse expected information."""
        return self if self.base is None else self.base

    def another(
        self,
        root: Root,
        kind: str,
        notes: tuple[str, ...] = (),
        *,
        signs: np.ndarray | None = None,
        **changes: Any,
    ) -> Self:
        """One of another kind, of the same coefficients; its root is of the whole matrix."""
        return dataclasses.replace(
            self, root=root, signs=signs, kind=kind, notes=notes, base=self.expected, **changes
        )

    @property
    def standard_errors(self) -> np.ndarray:
        """[p] or [G, p]; nan where aliased, infinite or open, or of a negative variance."""
        variances = squares(self.root.dense, self.signs)
        variances += self.root.diagonal**2
        variances *= np.expand_dims(self.scale, -1)
        return roots(self._told(variances))

    @property
    def matrix(self) -> np.ndarray:
        """[p, p] or [G, p, p]; nan in the rows and columns without a standard error."""
        dense, diagonal = self.root
        product = signed(dense, self.signs) @ dense.swapaxes(-1, -2)
        entry = np.arange(diagonal.shape[-1])
        product[..., entry, entry] += diagonal**2
        product *= np.expand_dims(self.scale, (-1, -2))
        return self._told(self._told(product).swapaxes(-1, -2))

    @property
    def infinite(self) -> np.ndarray:
        """Columns whose coefficient runs to infinity; [p] or [G, p] bool."""
        return self.recession != 0.0

    def at_limit(self, coef: np.ndarray) -> np.ndarray:
        """Coefficients [p] or [G, p], inf or -inf where they run to it, nan where open."""
        return np.where(self.open, np.nan, run_off(coef, self.recession))

    def linear_variance(self, rows: Lines) -> np.ndarray:
        """Variances x_i' C x_i of linear predictors, [n], for the covariance C of one fit.

        nan where the predictor runs to infinity. They are squared row norms of X F, F the dense
        root, and the products of X with the squared diagonal, which belongs to columns of 0 and 1.
        They may be negative where there are `signs`.
        """
        dense, diagonal = self.root
        total = rows.squared_lengths(dense, self.signs)
        if diagonal.any():
            total = total + rows.matvec(diagonal**2)
        if self.infinite.any():
            total = np.where(movement(rows.matvec(self.recession)) != 0.0, np.nan, total)
        return self.scale * total

    def spread(self, jacobian: np.ndarray) -> Spread:
        """The covariance of functions of the coefficients (delta method).

        Parameters
        ----------
        jacobian : [m, p]
            The derivatives of m functions; 0 where a column has no coefficient, or no finite one.
        """
        dense, diagonal = self.root
        own = np.flatnonzero(diagonal)
        return self._spread(jacobian @ dense, jacobian[:, own] * diagonal[own])

    def spread_of(self, columns: np.ndarray) -> Spread:
        """The covariance of some of the coefficients, by their positions."""
        dense, diagonal = self.root
        return self._spread(dense[columns], np.diag(diagonal[columns]))

    def _spread(self, dense: np.ndarray, levels: np.ndarray) -> Spread:
        signs = None
        if self.signs is not None:
            signs = np.append(self.signs, np.ones(levels.shape[1]))
        return Spread(np.sqrt(self.scale) * np.hstack([dense, levels]), signs)

    def _told(self, values: np.ndarray) -> np.ndarray:
        """With nan written where a column has no coefficient, or no finite one."""
        values[self.aliased | self.infinite | self.open] = np.nan
        return values


def movement(along: np.ndarray) -> np.ndarray:
    """How far rows move along a direction of recession, given x_i'd; 0 where only by rounding."""
    return np.where(np.abs(along) > MOVES, along, 0.0)


def run_off(values: np.ndarray, movements: np.ndarray) -> np.ndarray:
    """Values, with inf or -inf where they move for ever, to the side to which they move.

    What is not known stays nan.

    Examples
    --------
    >>> run_off(np.array([0.5, 21.3, np.nan]), np.array([0.0, -1.0, 1.0]))
    array([ 0.5, -inf,  nan])
    """
    stays = (movements == 0.0) | np.isnan(values)
    return np.where(stays, values, np.copysign(np.inf, movements))

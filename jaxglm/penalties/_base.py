"""Owns the contract of a penalty: what is added to the sums over rows, which it never sees."""

import abc
from typing import Any, Self

import jax
import numpy as np

from jaxglm._record import Record
from jaxglm.algebra import Information


class Penalty(Record, abc.ABC):
    """A smooth function of the coefficients that is added to the loss of the rows.

    It acts on p-sized arrays only, so that one form serves resident rows, streams and lanes. In
    compiled code a penalty is a pytree: its numbers may change without another program.
    """

    @abc.abstractmethod
    def loss(self, beta: jax.Array) -> jax.Array:
        """Its value at coefficients [p], on the scale of the negative log-likelihood."""

    @abc.abstractmethod
    def score(self, beta: jax.Array) -> jax.Array:
        """Its gradient, [p]."""

    @abc.abstractmethod
    def added_to(self, information: Information) -> Information:
        """The information with its second derivative added."""

    @abc.abstractmethod
    def holds(self) -> jax.Array:
        """Columns on which it has a part, [p] bool: their coefficients are bounded by it."""

    def beside(self, weight: Any) -> Self:
        """Beside the sum of the losses of rows with this sum of weights."""
        return self

    @abc.abstractmethod
    def where(self, keep: jax.Array) -> Self:
        """With no part in the columns where `keep` ([p]) is 0, whose coefficients stay 0."""

    # -- on the host, where the columns of a fit are chosen ---------------------------------------

    @abc.abstractmethod
    def take(self, columns: np.ndarray) -> Self:
        """Of some columns, in this order."""

    @abc.abstractmethod
    def in_basis(self, transform: np.ndarray) -> Self:
        """Of gamma = T beta, for an upper triangular T [p, p]."""

    @abc.abstractmethod
    def couples(self, columns: np.ndarray) -> bool:
        """Whether its second derivative has entries between two of some columns."""

    @abc.abstractmethod
    def as_rows(self) -> np.ndarray:
        """A with A'A its second derivative, [r, p]: rows beside those of the data."""

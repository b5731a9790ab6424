"""Owns the row vectors of a fit: the response, and what each row counts for."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Rows:
    """What stands beside the columns, row by row; on the host, on a device or traced.

    Attributes
    ----------
    y : [n]
        The response; proportions for the binomial family.
    weight : [n]
        Frequency times prior weight times trials. Weight 0 is padding or a row left out: every mask
        in the library is a weight.
    offset : [n] or None
        Added to the linear predictor.
    freq : [n] or None
        Frequency weights: how many observations the row stands for.
    trials : [n] or None
        Binomial trials behind each proportion.
    cluster : [n], [n, ways] or None
        Whole numbers from 0 on, or -1: rows of the same one depend on each other. No fit looks at
        them.
    """

    y: Any
    weight: Any
    offset: Any = None
    freq: Any = None
    trials: Any = None
    cluster: Any = None

    def __len__(self) -> int:
        return self.y.shape[-1]

    def each(self, function: Callable[[str, Any], Any]) -> "Rows":
        """The rows with `function(name, vector)` in place of each vector that is there."""
        vectors = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return Rows(**{name: v if v is None else function(name, v) for name, v in vectors})

    def take(self, positions: Any) -> "Rows":
        """Some of the rows, in this order."""
        return self.each(lambda name, values: values[positions])

    def beside(self, common: "Rows") -> "Rows":
        """The rows with what they leave out taken from others."""
        missing = (f.name for f in dataclasses.fields(self) if getattr(self, f.name) is None)
        return dataclasses.replace(self, **{name: getattr(common, name) for name in missing})

    @property
    def live(self) -> Any:
        """Rows that count, [n] bool."""
        return self.weight > 0

    @property
    def unit_weight(self) -> np.ndarray:
        """Prior weight times trials, [n]: the weight of one observation; on the host."""
        if self.freq is None:
            return self.weight
        return np.divide(
            self.weight, self.freq, out=np.zeros_like(self.weight), where=self.freq > 0
        )


def padding(name: str, values: np.ndarray) -> float:
    """What a row vector holds in rows that are not there, which are evaluated like any other."""
    if name == "y":
        return float(values[0])  # any valid response
    return 1.0 if name == "trials" else 0.0

"""Penalties: what is added to (information, score, loss) of the rows. They never see a row."""

from jaxglm.penalties._base import Penalty
from jaxglm.penalties._quadratic import Quadratic

__all__ = ["Penalty", "Quadratic"]

"""Inputs that break, or quietly mislead, GLM software, and a judge of an engine on them.

``get(id)`` makes one case, ``ids()`` lists them in the order of docs/hard-cases.md; see
``_registry`` for what a case holds. Importing the modules below registers their cases.
"""

from . import (  # noqa: I001  the order is that of the documentation
    separation,
    rank,
    scale,
    support,
    nonfinite,
    weights,
    convergence,
    shape_parameter,
    degenerate,
    layout,
    invariance,
    batches,
)
from ._registry import REGISTRY, get


def ids() -> list[str]:
    return list(REGISTRY)


__all__ = [
    "REGISTRY",
    "batches",
    "convergence",
    "degenerate",
    "get",
    "ids",
    "invariance",
    "layout",
    "nonfinite",
    "rank",
    "scale",
    "separation",
    "shape_parameter",
    "support",
    "weights",
]

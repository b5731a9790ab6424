"""Words and tables about a fit."""

from jaxglm.report._notes import collect, distribution_notes
from jaxglm.report._render import Pairs, Sheet
from jaxglm.report._summary import Summary, summarise

__all__ = [
    "Pairs",
    "Sheet",
    "Summary",
    "collect",
    "distribution_notes",
    "summarise",
]

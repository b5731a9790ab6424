"""Sources: where the rows live, and what may be asked of them: sums, above all."""

from jaxglm.sources._base import Source
from jaxglm.sources._block import Block
from jaxglm.sources._chunked import Chunked
from jaxglm.sources._in_parts import in_parts
from jaxglm.sources._passes import each_row, folded, is_small, one_pass
from jaxglm.sources._placement import place
from jaxglm.sources._resident import Resident
from jaxglm.sources._rows import Rows
from jaxglm.sources._tiles import Tiles

__all__ = [
    "Block",
    "Chunked",
    "Resident",
    "Rows",
    "Source",
    "Tiles",
    "each_row",
    "folded",
    "in_parts",
    "is_small",
    "one_pass",
    "place",
]

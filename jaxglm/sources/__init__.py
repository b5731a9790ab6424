"""Sources: where the rows live. Their one answer: the sum of a kernel over their blocks."""

from jaxglm.sources._block import Block
from jaxglm.sources._passes import each_row, one_pass
from jaxglm.sources._placement import place
from jaxglm.sources._resident import Resident

__all__ = ["Block", "Resident", "each_row", "one_pass", "place"]

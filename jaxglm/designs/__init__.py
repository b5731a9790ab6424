"""Designs: what the columns look like inside a block. Nothing here knows rows outside its block."""

from jaxglm.designs._append import append
from jaxglm.designs._assemble import assemble, from_matrix
from jaxglm.designs._base import Design, Operator
from jaxglm.designs._categorical import Categorical
from jaxglm.designs._dense import Dense
from jaxglm.designs._in_lanes import InLanes
from jaxglm.designs._in_root import in_root
from jaxglm.designs._masked import Masked
from jaxglm.designs._pieces import DensePiece, FactorPiece
from jaxglm.designs._sparse import Sparse
from jaxglm.designs._split import Split
from jaxglm.designs._strip import Strip, copied
from jaxglm.designs._tiling import Tiling, aligned_empty, bucket

__all__ = [
    "Categorical",
    "Dense",
    "DensePiece",
    "Design",
    "FactorPiece",
    "InLanes",
    "Masked",
    "Operator",
    "Sparse",
    "Split",
    "Strip",
    "Tiling",
    "aligned_empty",
    "append",
    "assemble",
    "bucket",
    "copied",
    "from_matrix",
    "in_root",
]

"""What the user gave, as rows and a model."""

from jaxglm.intake._choices import (
    MAX_MEMORY,
    WEIGHTS,
    Given,
    Policy,
    check_memory,
    chosen_dtype,
    row_vectors,
    solver_options,
)
from jaxglm.intake._dataset import Columns, Dataset, nbytes
from jaxglm.intake._matrix import ModelMatrices
from jaxglm.intake._model import Model

__all__ = [
    "MAX_MEMORY",
    "WEIGHTS",
    "Columns",
    "Dataset",
    "Given",
    "Model",
    "ModelMatrices",
    "Policy",
    "check_memory",
    "chosen_dtype",
    "nbytes",
    "row_vectors",
    "solver_options",
]

"""What the user gave, as rows and a model."""

from jaxglm.intake._choices import (
    MAX_MEMORY,
    Policy,
    check_choice,
    check_memory,
    chosen_dtype,
    row_vectors,
    solver_options,
)
from jaxglm.intake._model import Columns, Dataset, Model

__all__ = [
    "MAX_MEMORY",
    "Columns",
    "Dataset",
    "Model",
    "Policy",
    "check_choice",
    "check_memory",
    "chosen_dtype",
    "row_vectors",
    "solver_options",
]

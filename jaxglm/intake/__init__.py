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
    with_bias,
    with_separation,
)
from jaxglm.intake._dataset import Columns, Dataset, nbytes
from jaxglm.intake._doors import Intake, array_intake, table_intake
from jaxglm.intake._further import with_further
from jaxglm.intake._matrix import ModelMatrices, as_sparse, as_table, model_matrices
from jaxglm.intake._model import CommonPrior, Model, TermStrength
from jaxglm.intake._new_rows import new_rows
from jaxglm.intake._penalised import (
    check_columns,
    checked_penalty,
    penalised_columns,
    refuse_shrunk,
    with_common_penalty,
    with_penalty,
)
from jaxglm.intake._population import (
    Population,
    fit_population,
    new_population,
    table_population,
)
from jaxglm.intake._responses import ResponseIntake, array_responses, table_responses
from jaxglm.intake._segments import GroupIntake, array_segments, table_segments
from jaxglm.intake._variable_rows import Part, VariableRows

__all__ = [
    "MAX_MEMORY",
    "WEIGHTS",
    "Columns",
    "CommonPrior",
    "Dataset",
    "Given",
    "GroupIntake",
    "Intake",
    "Model",
    "ModelMatrices",
    "Part",
    "Policy",
    "Population",
    "ResponseIntake",
    "TermStrength",
    "VariableRows",
    "array_intake",
    "array_responses",
    "array_segments",
    "as_sparse",
    "as_table",
    "check_columns",
    "check_memory",
    "checked_penalty",
    "chosen_dtype",
    "fit_population",
    "model_matrices",
    "nbytes",
    "new_population",
    "new_rows",
    "penalised_columns",
    "refuse_shrunk",
    "row_vectors",
    "solver_options",
    "table_intake",
    "table_population",
    "table_responses",
    "table_segments",
    "with_bias",
    "with_common_penalty",
    "with_further",
    "with_penalty",
    "with_separation",
]

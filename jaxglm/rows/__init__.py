"""The host's rows of one fit or of many: the problem, its checks, and ways to cut it up."""

from jaxglm.rows._compress import Choice, merge_rows
from jaxglm.rows._faults import ALL_ROWS, ONE_FIT, ManyFits, OneFit, Postponed, UsedRows
from jaxglm.rows._folds import (
    Fold,
    folds_of,
    forward_folds,
    random_folds,
    without,
)
from jaxglm.rows._problem import Problem, constant_column
from jaxglm.rows._replicas import Replicas
from jaxglm.rows._segments import Segments

__all__ = [
    "ALL_ROWS",
    "ONE_FIT",
    "Choice",
    "Fold",
    "ManyFits",
    "OneFit",
    "Postponed",
    "Problem",
    "Replicas",
    "Segments",
    "UsedRows",
    "constant_column",
    "folds_of",
    "forward_folds",
    "merge_rows",
    "random_folds",
    "without",
]

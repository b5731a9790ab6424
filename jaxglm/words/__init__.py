"""How things are said: choices, lists and near names, numbers, warnings, other libraries' names."""

from jaxglm.words._choices import (
    check_choice,
    check_seed,
    is_between,
    is_from,
    is_one_of,
    is_positive,
)
from jaxglm.words._habits import no_attribute, understands_habits
from jaxglm.words._lists import choose, key_text, listed, near_text, repeated
from jaxglm.words._numbers import FloatArray, aligned, count, measure, p_value, row, statistic
from jaxglm.words._warn import warn

__all__ = [
    "FloatArray",
    "aligned",
    "check_choice",
    "check_seed",
    "choose",
    "count",
    "is_between",
    "is_from",
    "is_one_of",
    "is_positive",
    "key_text",
    "listed",
    "measure",
    "near_text",
    "no_attribute",
    "p_value",
    "repeated",
    "row",
    "statistic",
    "understands_habits",
    "warn",
]

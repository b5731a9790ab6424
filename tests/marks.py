"""Which values of a test's parameter are left to the slow tests."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def slow_among(values: Iterable[Any], slow: Collection[Any]) -> list[Any]:
    """The values, those in `slow` marked so; each of `slow` has to be one of them."""
    values = list(values)
    unknown = [value for value in slow if value not in values]
    assert not unknown, f"no such values: {unknown}"
    return [pytest.param(v, marks=pytest.mark.slow) if v in slow else v for v in values]

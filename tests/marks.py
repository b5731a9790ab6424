"""Which values of a test's parameter are left to the slow tests."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def slow_among(values: Iterable[Any], slow: Collection[Any]) -> list[Any]:
    """The values, those in `slow` marked so; each of `slow` has to be one of them.

    A tuple has a value for each of several parameters.
    """
    values = list(values)
    unknown = [value for value in slow if value not in values]
    assert not unknown, f"no such values: {unknown}"

    def marked(value: Any) -> Any:
        own = value if isinstance(value, tuple) else (value,)
        return pytest.param(*own, marks=pytest.mark.slow)

    return [marked(v) if v in slow else v for v in values]

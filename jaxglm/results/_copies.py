"""Owns how a result is copied in memory: with its rows, which a file or a pickle leaves behind."""

import copy
from typing import Any, Self


class Copied:
    """Has `copy` take everything; `__getstate__` is for what leaves the process."""

    def __copy__(self) -> Self:
        new = object.__new__(type(self))
        new.__dict__ |= self.__dict__
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__ |= copy.deepcopy(self.__dict__, memo)
        return new

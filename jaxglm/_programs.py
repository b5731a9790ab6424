"""Owns how programs are compiled, and how many of them are kept.

A compiled program holds some hundreds of memory maps, of which Linux allows a process 65,530: a
process that fits some two hundred models of different shapes would end in a crash without a word.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

_MAPS, _LIMIT = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
# Above this share of the maps, compiled programs are forgotten; those in use compile again.
_MOST_MAPS = 0.7
# A call that takes longer may have compiled.
_COMPILING = 0.05

_programs: list[Any] = []


def program(**options: Any) -> Callable[[Callable], Callable]:
    """`jax.jit` with these options, that keeps no more programs than the system has room for."""

    def decorate(function: Callable) -> Callable:
        jitted = jax.jit(function, **options)
        _programs.append(jitted)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            out = jitted(*args, **kwargs)
            if time.perf_counter() - start > _COMPILING and maps_left() < 1 - _MOST_MAPS:
                forget_programs()
            return out

        return call

    return decorate


def forget_programs() -> None:
    """Drop every program compiled so far."""
    for jitted in _programs:
        jitted.clear_cache()


def maps_left() -> float:
    """Share of this process's memory maps that are free; 1 where the system does not tell."""
    try:
        limit = int(_LIMIT.read_text())
        with _MAPS.open("rb") as maps:
            return 1 - sum(1 for _ in maps) / limit
    except OSError:
        return 1.0

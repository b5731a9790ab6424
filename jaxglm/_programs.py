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

# XLA's newer way to make CPU kernels compiles for half as long again, or twice as long, and its
# programs run up to a third faster: worth it for what runs longer than it compiles. jaxlib 0.12 has
# no other way any more, and its programs are made as ever.
_QUICK = {"xla_cpu_use_fusion_emitters": False}

_programs: list[Any] = []


@functools.cache
def _quick_options() -> dict[str, Any] | None:
    """What compiles soon on this device; None where this jaxlib knows no such option."""
    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda x: x, compiler_options=_QUICK).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return None
    return dict(_QUICK)


def program(
    *, quick: bool | Callable[..., bool] = False, **options: Any
) -> Callable[[Callable], Callable]:
    """`jax.jit` with these options, that keeps no more programs than the system has room for.

    One that is `quick`, always or for the arguments for which the function says so, is soon
    compiled and may run a little slower: for small arrays.
    """

    def decorate(function: Callable) -> Callable:
        @functools.cache
        def jitted(soon: bool) -> Any:
            # At the first call: what is quick is asked of the device.
            made = jax.jit(function, compiler_options=_quick_options() if soon else None, **options)
            _programs.append(made)
            return made

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            soon = quick(*args) if callable(quick) else quick
            out = jitted(soon)(*args, **kwargs)
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

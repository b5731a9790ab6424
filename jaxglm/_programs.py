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
import jax.numpy as jnp

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


# What one piece of code takes to compile grows faster than the code does; it runs as fast after
# fewer rounds of optimisation, and faster in the widest registers.
_ONE_PIECE = {"xla_backend_optimization_level": 1, "xla_cpu_prefer_vector_width": 512}


@functools.cache
def _known(options: tuple[tuple[str, Any], ...]) -> dict[str, Any] | None:
    """Options to compile with on this device; None where this jaxlib does not know them."""
    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda x: x, compiler_options=dict(options)).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return None
    return dict(options)


def program(
    *, quick: bool | Callable[..., bool] = False, one_piece: bool = False, **options: Any
) -> Callable[[Callable], Callable]:
    """`jax.jit` with these options, that keeps no more programs than the system has room for.

    One that is `quick`, always or for the arguments for which the function says so, is soon
    compiled and may run a little slower: for small arrays. One that is made of elementwise
    operations and loops only may be `one_piece`.
    """

    def decorate(function: Callable) -> Callable:
        @functools.cache
        def jitted(soon: bool) -> Any:
            # At the first call: what is quick is asked of the device.
            chosen = _known(tuple((_QUICK if soon else _ONE_PIECE).items()))
            whole = as_one_piece(function) if one_piece else function
            made = jax.jit(whole, compiler_options=chosen if soon or one_piece else None, **options)
            _programs.append(made)
            return made

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            soon = quick(*args) if callable(quick) else quick
            out = jitted(soon)(*args, **kwargs)
            if one_piece:
                out, _ = out
            if time.perf_counter() - start > _COMPILING and maps_left() < 1 - _MOST_MAPS:
                forget_programs()
            return out

        return call

    return decorate


def as_one_piece(function: Callable) -> Callable:
    """The function, compiled on a CPU as one piece of machine code.

    XLA makes a kernel of each operation there, and calls one after the other: thousands a turn of a
    loop over small arrays, each for less than a call costs. It has a way to compile a call of a
    function as a whole, by an attribute that it does not document. Where it knows the attribute no
    more, it is without effect.
    """
    if jax.default_backend() != "cpu":
        return lambda *args, **kwargs: (function(*args, **kwargs), [])
    from jax.experimental.xla_metadata import set_xla_metadata

    @functools.wraps(function)
    def whole(*args: Any, **kwargs: Any) -> Any:
        def body(*inner: Any) -> Any:
            with set_xla_metadata(xla_cpu_small_call=None, inlineable=None):
                out = function(*inner, **kwargs)
            # An argument that turns out to be of no use would end the process: all are made use of.
            return out, [jnp.ravel(leaf)[0] for leaf in jax.tree.leaves(inner)]

        with set_xla_metadata(xla_cpu_small_call="true", inlineable="false"):
            return jax.jit(body)(*args)

    return whole


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

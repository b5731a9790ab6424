"""Owns how programs are compiled, and how many of them a process holds.

A compiled program holds some hundreds of memory maps, of which Linux allows a process 65,530: a
process that fits some two hundred models of different shapes would end in a crash without a word.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib

from jaxglm._jax import arithmetic
from jaxglm._kept import Executable, Folder, compiled, in_use, signature_of

_MAPS, _LIMIT = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
# Above this share of the maps, compiled programs are forgotten; those in use compile again.
_MOST_MAPS = 0.7
# A call that takes longer may have compiled.
_COMPILING = 0.05

# XLA's newer way to make CPU kernels compiles for half as long again, or twice as long, and its
# programs run up to a third faster: worth it for what runs longer than it compiles. jaxlib 0.12 has
# no other way any more, and its programs are made as ever.
_QUICK = {"xla_cpu_use_fusion_emitters": False}

# The newest jaxlib that programs were made in one piece with.
_TRIED = (0, 12)

# What forgets the programs of each function.
_forget: list[Callable[[], None]] = []


# What one piece of code takes to compile grows faster than the code does; it runs as fast after
# fewer rounds of optimisation, and faster in the widest registers.
_PIECES = {"xla_backend_optimization_level": 1, "xla_cpu_prefer_vector_width": 512}


@functools.cache
def _known(options: tuple[tuple[str, Any], ...]) -> dict[str, Any] | None:
    """Options to compile with on this device; None where this jaxlib does not know them.

    What the environment says for the whole process holds for these programs too.
    """
    if jax.default_backend() != "cpu":
        return None
    said = os.environ.get("XLA_FLAGS", "")
    options = tuple(option for option in options if option[0] not in said)
    try:
        jax.jit(lambda x: x, compiler_options=dict(options)).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return None
    return dict(options)


def program(
    *,
    quick: bool | Callable[..., bool] = False,
    of_pieces: bool = False,
    static_argnames: tuple[str, ...] = (),
    **options: Any,
) -> Callable[[Callable], Callable]:
    """`jax.jit` with these options, that keeps no more programs than the system has room for.

    Static arguments are given by name. One that is `quick`, always or for the arguments for which
    the function says so, is soon compiled and may run a little slower: for small arrays. One
    `of_pieces` consists of calls of functions that are each a `piece`. Where `computing` for the
    library, programs are kept for other processes.
    """

    def decorate(function: Callable) -> Callable:
        at_hand: dict[Hashable, Executable] = {}
        making: dict[Hashable, threading.Lock] = {}

        @functools.cache
        def jitted(soon: bool) -> Any:
            # At the first call: what is quick is asked of the device.
            chosen = _known(tuple((_QUICK if soon else _PIECES).items()))
            made: Any = jax.jit(
                function,
                compiler_options=chosen if soon or of_pieces else None,
                static_argnames=static_argnames,
                keep_unused=True,  # so that what it was traced to says which argument is which
                **options,
            )
            _forget.append(made.clear_cache)
            return made

        def kept(store: Folder, soon: bool, args: Any, kwargs: dict[str, Any]) -> Executable | None:
            """The program in the store for arguments like these; takes those that are not static.

            None inside another program.
            """
            static = {name: kwargs.pop(name) for name in static_argnames if name in kwargs}
            signature = signature_of((args, kwargs))
            if signature is None:
                kwargs |= static
                return None
            how = (soon, arithmetic())
            key = (*signature, *how, *static.values())
            found = at_hand.get(key)
            if found is not None:
                return found
            with making.setdefault(key, threading.Lock()):  # other threads wait, and find it
                found = at_hand.get(key)
                if found is None:
                    traced, told = functools.partial(jitted, soon), repr((options, how))
                    found = compiled(store, function, traced, signature, args, kwargs, static, told)
                    _forget_some()
                    at_hand[key] = found
                return found

        _forget.extend((at_hand.clear, making.clear))

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            soon = quick(*args) if callable(quick) else quick
            store = _store()
            found = None if store is None else kept(store, soon, args, kwargs)
            if found is not None:
                return found(*args, **kwargs)
            start = time.perf_counter()
            out = jitted(soon)(*args, **kwargs)
            if time.perf_counter() - start > _COMPILING:
                _forget_some()
            return out

        return call

    return decorate


def piece(function: Callable) -> Callable:
    """The function, as a part of a program `of_pieces`: on a CPU, one piece of machine code.

    It has to be made of elementwise operations and loops only.

    XLA makes a kernel of each operation there, and calls one after the other: thousands a turn of a
    loop over small arrays, each for less than a call costs. It has a way to compile a call of a
    function as a whole, by an attribute that it does not document, and that is asked for in the
    versions that it was tried with only: what it cannot do ends the process. What takes long to
    compile is better cut in two: each takes less than half, and they are compiled side by side.
    """
    version = tuple(map(int, jaxlib.__version__.split(".")[:2]))
    if jax.default_backend() != "cpu" or version > _TRIED:
        return function
    from jax.experimental.xla_metadata import set_xla_metadata

    @functools.wraps(function)
    def whole(*args: Any) -> Any:
        def body(*inner: Any) -> Any:
            with set_xla_metadata(xla_cpu_small_call=None, inlineable=None):
                out = function(*inner)
            # An argument that turns out to be of no use would end the process: all are made use of.
            return out, [jnp.ravel(leaf)[0] for leaf in jax.tree.leaves(inner)]

        with set_xla_metadata(xla_cpu_small_call="true", inlineable="false"):
            return jax.jit(body)(*args)[0]

    return whole


def _store() -> Folder | None:
    """Where programs are kept; None where none are: under a user's own settings one may differ."""
    if arithmetic() is None or not _is_one_cpu():
        return None
    return in_use()


@functools.cache
def _is_one_cpu() -> bool:
    """Whether programs run on the host's processor, as one device."""
    return jax.default_backend() == "cpu" and jax.device_count() == 1


def _forget_some() -> None:
    """Drop all programs if they leave too little room."""
    if maps_left() < 1 - _MOST_MAPS:
        forget_programs()


def forget_programs() -> None:
    """Drop every program compiled so far."""
    for forget in _forget:
        forget()


def maps_left() -> float:
    """Share of this process's memory maps that are free; 1 where the system does not tell."""
    try:
        limit = int(_LIMIT.read_text())
        with _MAPS.open("rb") as maps:
            return 1 - sum(1 for _ in maps) / limit
    except OSError:
        return 1.0

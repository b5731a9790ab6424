"""Owns the compiled program as bytes, and the way to one: from the folder, or from the compiler."""

import functools
import pickle
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from jaxglm._kept._folder import Folder
from jaxglm._kept._key import ForeignError, Signature, before_tracing, name_of
from jaxglm._tuning import tuning

Executable = Callable[..., Any]


def compiled(
    folder: Folder,
    function: Callable,
    jitted: Callable[[], Any],
    signature: Signature,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    static: Mapping[str, Any],
    *options: str,
) -> Executable:
    """The program of a function for arguments like these; takes those that are not static.

    Parameters
    ----------
    folder : Folder
        Where programs are kept.
    function, jitted : callable
        What is compiled, and what gives it as `jax.jit` made it.
    signature : Signature
        Of `(args, kwargs)`.
    args, kwargs, static
        What it is called with.
    *options : str
        What else decides how it is compiled.
    """
    options = (*options, repr(tuning()), repr(sorted(jax.config.values.items())))

    def lowered() -> Any:
        return jitted().lower(*args, **kwargs, **static)

    text, traced = before_tracing(function, signature, static), None
    try:
        if text is None:
            traced = lowered()
            text = traced.as_text() + repr(signature[1])
        name = name_of(text, *options)
    except ForeignError:
        return lowered().compile()
    found = _loaded(folder, name, signature[0], traced)
    if found is None:
        traced = traced or lowered()
        found, anew = _compiled(traced)
        content = _as_bytes(traced, found) if anew else None
        if content is not None:
            folder.put(name, content)
    return found


class _Heard(threading.local):
    """What jax says of itself in this thread, while somebody listens."""

    events: set[str] | None = None


_heard = _Heard()


def _hear(event: str, *_: Any, **__: Any) -> None:
    if _heard.events is not None:
        _heard.events.add(event.rpartition("/")[2])


jax.monitoring.register_event_listener(_hear)
jax.monitoring.register_event_duration_secs_listener(_hear)

_COMPILES = "backend_compile_duration"
# Each tells that a program came from jax's own cache.
_LOADS = {"cache_hits", "cache_retrieval_time_sec", "compile_time_saved_sec"}


def _compiled(traced: Any) -> tuple[Any, bool]:
    """A program, and whether it was compiled just now.

    Of one that jax's own cache has loaded nothing can be kept: written again, it lacks its
    functions.
    """
    events: set[str] = set()
    _heard.events = events
    try:
        program = traced.compile()
    finally:
        _heard.events = None
    return program, _COMPILES in events and not events & _LOADS


# Functions of LAPACK, which jax looks up for the first program that calls one.
_LAPACK = "lapack_"
_CALLS = re.compile(r"custom_call @(\w+)")


@functools.cache
def _find_lapack() -> None:
    """Have jax look for LAPACK: a program that is loaded, not traced, would call nothing."""
    try:
        from jaxlib import lapack

        lapack._lapack.initialize()
    except (ImportError, AttributeError):
        jax.jit(jax.lax.linalg.cholesky).lower(jax.ShapeDtypeStruct((1, 1), "float32"))


def _as_bytes(traced: Any, program: Any) -> bytes | None:
    """A program as bytes; None where it calls what another process may not have."""
    from jax.experimental.serialize_executable import serialize

    calls = set(_CALLS.findall(traced.as_text()))
    if not all(call.startswith(_LAPACK) for call in calls):
        return None
    try:
        executable, _, out = serialize(program)
        return zlib.compress(pickle.dumps((bool(calls), executable, out)), 1)
    except Exception:  # jax says in many ways that a program cannot be kept
        return None


def _loaded(folder: Folder, name: str, tree: Any, traced: Any) -> Executable | None:
    content = folder.get(name)
    if content is None:
        return None
    from jax.experimental.serialize_executable import deserialize_and_load

    try:
        calls_lapack, executable, out = pickle.loads(zlib.decompress(content))
        # What a text was traced from says how its answers are called, which the text does not.
        answers = traced.out_tree if traced else out
        load = functools.partial(deserialize_and_load, executable, tree, answers)
        if not calls_lapack:
            return load()
        with ThreadPoolExecutor(1) as beside:  # each takes a twentieth of a second or more
            looking = beside.submit(_find_lapack)
            program = load()
            looking.result()
        return program
    except Exception:  # as many ways to say that it is no program here
        folder.remove(name)
        return None

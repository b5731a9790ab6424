"""Owns what a program is known by: all that decides what is compiled, as a text.

The text says what the library's own code is called with, and of what version that code is. Of code
that is not the library's own it says nothing, so there is no such text: the program is then known
by what it was traced to.
"""

import dataclasses
import enum
import functools
import hashlib
import os
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np

_OWN = __name__.partition(".")[0]
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
# Containers that a pytree may be made of, whose node data are plain.
_CONTAINERS = (tuple, list, dict, type(None))


class ForeignError(Exception):
    """Something is not the library's own, nor plain."""


Signature = tuple[Any, tuple[Any, ...]]


def signature_of(given: Any) -> Signature | None:
    """Structure, shapes and types: what a program is compiled for; None inside another program."""
    leaves, tree = jax.tree.flatten(given)
    kinds: list[Any] = []
    for leaf in leaves:
        if isinstance(leaf, jax.core.Tracer):
            return None
        if isinstance(leaf, jax.Array):
            if not isinstance(leaf.sharding, jax.sharding.SingleDeviceSharding):
                return None
            kinds.append((leaf.shape, leaf.dtype, leaf.weak_type))
        elif isinstance(leaf, np.ndarray | np.generic):
            kinds.append((leaf.shape, leaf.dtype, False))
        else:
            kinds.append(type(leaf))
    return tree, tuple(kinds)


def name_of(*parts: str) -> str:
    """A file name for a text in parts; each other text has another."""
    return hashlib.sha256("\0".join((*_process(), *parts)).encode()).hexdigest()


def before_tracing(
    function: Callable, signature: Signature, static: Mapping[str, Any]
) -> str | None:
    """What a function of the library's own is traced with; None where other code takes part."""
    try:
        parts = [described(function), _structure(signature[0]), repr(signature[1])]
        parts += [f"{name}={described(value)}" for name, value in sorted(static.items())]
    except ForeignError:
        return None
    return "\n".join(parts)


def described(value: Any) -> str:
    """A value that selects code, the same text in each process.

    Raises
    ------
    ForeignError
    """
    if isinstance(value, enum.Enum):
        return f"{_named(type(value))}.{value.name}"
    if type(value) in _PLAIN:
        return repr(value)
    if type(value) in (tuple, list, frozenset):
        parts = [described(part) for part in value]
        ordered = sorted(parts) if isinstance(value, frozenset) else parts
        return f"{type(value).__name__}({', '.join(ordered)})"
    if isinstance(value, np.dtype):
        return f"dtype({value.str})"
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return _named(value)
    if isinstance(value, functools.partial):
        given = described((value.args, tuple(sorted(value.keywords.items()))))
        return f"partial({described(value.func)}, {given})"
    if dataclasses.is_dataclass(value):
        fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return f"{_named(type(value))}({', '.join(f'{n}={described(v)}' for n, v in fields)})"
    if isinstance(value, tuple):  # with names
        return f"{_named(type(value))}{described(tuple(value))}"
    raise ForeignError


def _named(value: Any) -> str:
    """A class or function of the library's own that is found under its name, or wrapped there."""
    module, name = getattr(value, "__module__", None), value.__qualname__
    own = isinstance(module, str) and module.partition(".")[0] == _OWN
    found: Any = sys.modules.get(module) if own and isinstance(module, str) else None
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not value and getattr(found, "__wrapped__", None) is not value:
        raise ForeignError
    return f"{module}:{name}"


def _structure(tree: Any) -> str:
    """A tree's structure, with what its nodes hold beside the leaves."""
    node = tree.node_data()
    if node is None:
        return "*"
    kind, data = node
    label = kind.__name__ if kind in _CONTAINERS else _named(kind)
    inner = ", ".join(_structure(child) for child in tree.children())
    return f"{label}[{described(data)}]({inner})"


@functools.cache
def _process() -> tuple[str, ...]:
    """What is the same for all programs of a process."""
    return (
        *(f"{module.__version__} {_stamp(module.__file__ or '')}" for module in (jax, jaxlib)),
        str(sys.version_info),
        _own_source(),
        _processor(),
        os.environ.get("XLA_FLAGS", ""),
        os.environ.get("NPROC", ""),  # XLA's own name for the size of its thread pools
    )


def _stamp(path: str | os.PathLike[str]) -> str:
    seen = os.stat(path)
    return f"{os.fspath(path)} {seen.st_size} {seen.st_mtime_ns}"


def _own_source() -> str:
    """Of what version each file of the library is, as Python itself tells it of its bytecode.

    Raises
    ------
    ForeignError
        Where the library lies in no files.
    """
    files = sorted(Path(__file__).parent.parent.rglob("*.py"))
    if not files:
        raise ForeignError
    return "\n".join(_stamp(file) for file in files)


# Lines of /proc/cpuinfo, on x86 and on ARM.
_TELLING = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")


def _processor() -> str:
    """What machine code may be made for: the processor, and how many cores of it there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
            lines = info.read(8192).partition("\n\n")[0].splitlines()
        told = [line for line in lines if line.startswith(_TELLING)]
    except OSError:
        told = [platform.node(), platform.processor()]
    return "\n".join([*told, platform.system(), platform.machine(), str(cores)])

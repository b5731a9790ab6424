"""Owns the state of jax that the library computes in: its settings, and the process it runs in.

The user's settings are for the user's own programs. Some of them would refuse what is right here
(nan marks a coefficient that does not exist), others would change digits; each also names another
compiled program.
"""

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np

from jaxglm._status import FitError

# The process in which jax started to compute for the library.
_process: int | None = None

_double: ContextVar[bool | None] = ContextVar("double", default=None)


@contextlib.contextmanager
def computing(double: bool = True) -> Iterator[None]:
    """Settings as the library was written for them, in this thread; `double` allows 64 bits.

    Raises
    ------
    FitError
        In a process forked from one that has computed already.
    """
    _refuse_fork()
    with contextlib.ExitStack() as stack:
        for setting in (
            jax.enable_x64(double),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.default_matmul_precision(None),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.transfer_guard("allow"),
            jax.disable_jit(False),
            jax.check_tracer_leaks(False),
        ):
            stack.enter_context(setting)
        outside = _double.set(double)
        try:
            yield
        finally:
            _double.reset(outside)


def arithmetic() -> bool | None:
    """Whether 64 bits are allowed; None outside `computing`, under a user's own settings."""
    return _double.get()


def fetched(tree: Any) -> Any:
    """A pytree of what a program returns, on the host as NumPy's arrays."""
    if jax.default_backend() == "cpu":  # where they are already: a copy begun early is for nothing
        return jax.tree.map(np.asarray, tree)
    return jax.device_get(tree)


def _refuse_fork() -> None:
    """Jax computes in threads, which a fork leaves behind: the child would wait for ever."""
    global _process
    process = os.getpid()
    if _process is None:
        _process = process
    elif _process != process:
        raise FitError(
            "jaxglm has computed in the process that this one was forked from, and jax does not "
            "work on the other side of a fork. Start processes with "
            "multiprocessing.get_context('spawn') or 'forkserver' (joblib's default 'loky' does), "
            "or fork before the first fit."
        )

"""Owns how functions are traced: once each, and what shapes they return."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, to be called at several places of a program: it is traced at one of them.

    Its arguments are traced, also those that are plain numbers. Functions that call others twice
    each would trace the innermost eight times, which takes longer than its program runs.
    """
    return jax.jit(function, inline=True)


def zeros_of(function: Callable[..., Any], *args: Any) -> Any:
    """Zeros of the shapes that `function(*args)` returns, without calling it."""
    shapes = jax.eval_shape(function, *args)
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

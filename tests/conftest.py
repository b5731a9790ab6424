"""What every test can rely on."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def jax_settings_stay() -> Iterator[None]:
    """No call of the library leaves jax's 64-bit mode other than it found it."""
    before = jax.config.jax_enable_x64
    yield
    after = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", before)
    assert after == before, "the test, or the library in it, left jax_enable_x64 changed"

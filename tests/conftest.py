"""What every test can rely on."""

from collections.abc import Iterator

import jax
import pytest

# Each compiled program holds about twenty memory maps, of which Linux allows a process 65,530; a
# test session compiles thousands.
PROGRAMS_KEPT = 1000
_compiled = 0


def _count(event: str, duration: float, **_: object) -> None:
    global _compiled
    _compiled += event.endswith("backend_compile_duration")


jax.monitoring.register_event_duration_secs_listener(_count)


@pytest.fixture(autouse=True)
def few_compiled_programs() -> Iterator[None]:
    """Compiled programs are forgotten now and then."""
    global _compiled
    yield
    if _compiled > PROGRAMS_KEPT:
        jax.clear_caches()
        _compiled = 0


@pytest.fixture(autouse=True)
def jax_settings_stay() -> Iterator[None]:
    """No call of the library leaves jax's 64-bit mode other than it found it."""
    before = jax.config.jax_enable_x64
    yield
    after = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", before)
    assert after == before, "the test, or the library in it, left jax_enable_x64 changed"

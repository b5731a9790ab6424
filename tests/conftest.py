"""What every test can rely on."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

from jaxglm._programs import maps_left
from jaxglm._tuning import tuned

# Nothing is kept in the user's own folder; the processes that tests start know it too.
os.environ.setdefault("JAXGLM_CACHE", "off")

# Tracing makes many objects that stay: looking through them for garbage took a tenth of the time.
gc.set_threshold(200_000, 20, 100)

# Programs compiled between two looks at the memory maps they hold.
PROGRAMS_BETWEEN = 20
_compiled = 0


def _count(event: str, duration: float, **_: object) -> None:
    global _compiled
    _compiled += event.endswith("backend_compile_duration")


jax.monitoring.register_event_duration_secs_listener(_count)

# From Python, a solver's half of a turn is compiled once for each number of columns; the compiled
# loop is compiled for each family and form of the rows as well. tests/test_drivers.py holds the two
# equal, and the mark `compiled` asks for the loop that users run.
# Few rows take the shape of some more: that saves programs too.
_driven = tuned(driver="host", fewest_rows=256)
_driven.__enter__()


# The generators of each test module, as they are once it is imported.
_generators: dict[Any, list[tuple[np.random.BitGenerator, Any]]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for module in {getattr(item, "module", None) for item in items} - {None}:
        made = (value for value in vars(module).values() if isinstance(value, np.random.Generator))
        _generators[module] = [(rng.bit_generator, rng.bit_generator.state) for rng in made]


@pytest.fixture(autouse=True)
def same_numbers(request: pytest.FixtureRequest) -> None:
    """A test draws the same numbers from its module's generator, whatever ran before it."""
    for bits, state in _generators.get(getattr(request.node, "module", None), ()):
        bits.state = state


@pytest.fixture(autouse=True)
def driver(request: pytest.FixtureRequest) -> Iterator[None]:
    """The loop that a test's mark asks for."""
    if request.node.get_closest_marker("compiled") is None:
        yield
        return
    with tuned(driver="compiled"):
        yield


@pytest.fixture(autouse=True)
def room_for_programs() -> Iterator[None]:
    """Compiled programs are forgotten before they hold all memory maps: the tests make thousands,
    most of them outside the library's own.
    """
    global _compiled
    yield
    if _compiled > PROGRAMS_BETWEEN:
        _compiled = 0
        if maps_left() < 0.4:  # before the library forgets its own in the middle of a test
            jax.clear_caches()


@pytest.fixture(autouse=True)
def jax_settings_stay() -> Iterator[None]:
    """No call of the library leaves jax's 64-bit mode other than it found it."""
    before = jax.config.jax_enable_x64
    yield
    after = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", before)
    assert after == before, "the test, or the library in it, left jax_enable_x64 changed"

"""Compiled programs: kept while there is room for them."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import pytest

from jaxglm import _programs


def _counted() -> tuple[list[int], object]:
    made: list[int] = []

    @_programs.program(static_argnames=("times",))
    def grown(x, *, times: int):
        made.append(times)  # while tracing only
        return x * times

    return made, grown


def test_programs_are_kept_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    made, grown = _counted()
    monkeypatch.setattr(_programs, "_COMPILING", 0.0)
    monkeypatch.setattr(_programs, "maps_left", lambda: 0.9)
    for times in (2, 3, 2, 3):
        assert float(grown(jnp.ones(()), times=times)) == times
    assert made == [2, 3]


@pytest.mark.slow
def test_programs_are_forgotten_when_maps_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made, grown = _counted()
    monkeypatch.setattr(_programs, "_COMPILING", 0.0)
    monkeypatch.setattr(_programs, "maps_left", lambda: 0.1)
    for times in (2, 3, 2):
        assert float(grown(jnp.ones(()), times=times)) == times
    assert made == [2, 3, 2]


def test_a_program_may_say_which_arguments_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    jit, asked = jax.jit, []

    def spy(function, *, compiler_options, **options):
        asked.append(compiler_options)
        return jit(function, **options)

    monkeypatch.setattr(_programs, "_known", lambda options: {"soon": True})
    monkeypatch.setattr(_programs.jax, "jit", spy)

    @_programs.program(quick=lambda x: x.size < 3)
    def doubled(x):
        return 2 * x

    for size in (2, 4, 2, 4):
        assert doubled(jnp.ones(size)).tolist() == [2.0] * size
    assert asked == [{"soon": True}, None]


@pytest.fixture
def ask_again() -> Iterator[None]:
    """What the compiler knows is asked anew, now and after the test."""
    _programs._known.cache_clear()
    yield
    _programs._known.cache_clear()


def test_quick_programs_are_ordinary_where_the_option_is_unknown(
    ask_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_programs, "_QUICK", {"an_option_that_no_compiler_has": True})

    @_programs.program(quick=True)
    def doubled(x):
        return 2 * x

    assert float(doubled(jnp.ones(()))) == 2.0
    assert _programs._known(tuple(_programs._QUICK.items())) is None


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="options are for CPUs")
def test_what_the_environment_says_holds_for_all_programs(
    ask_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (("xla_backend_optimization_level", 1),)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert _programs._known(asked) == dict(asked)
    _programs._known.cache_clear()
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
    assert _programs._known(asked) == {}


def test_maps_are_counted_where_the_system_tells(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps, limit = tmp_path / "maps", tmp_path / "limit"
    maps.write_text("a\nb\nc\n")
    limit.write_text("4\n")
    monkeypatch.setattr(_programs, "_MAPS", maps)
    monkeypatch.setattr(_programs, "_LIMIT", limit)
    assert _programs.maps_left() == 0.25
    monkeypatch.setattr(_programs, "_LIMIT", tmp_path / "missing")
    assert _programs.maps_left() == 1.0


def test_a_piece_is_another_form_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def grown(x, times, unused):
        return jax.lax.fori_loop(0, times, lambda i, y: y * x, jnp.ones_like(x))

    def added(x, y):
        return x + y

    def both(x, times, unused):
        return _programs.piece(added)(x, _programs.piece(grown)(x, times, unused))

    x, marked = jnp.arange(1.0, 5.0), "xla_cpu_small_call"
    for tried in ((0, 12), (0, 9)):
        monkeypatch.setattr(_programs, "_TRIED", tried)
        whole = _programs.program(of_pieces=True)(both)
        assert whole(x, 3, x).tolist() == [2.0, 10.0, 30.0, 68.0]
        lowered = jax.jit(both).lower(x, 3, x).as_text()
        asked = 2 if tried == (0, 12) and jax.default_backend() == "cpu" else 0
        assert lowered.count(marked) == asked
        jax.clear_caches()

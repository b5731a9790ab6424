"""Compiled programs between processes: found again, never mistaken, never in the way."""

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache as jax_cache

import jaxglm as jg
from jaxglm import _programs
from jaxglm._jax import computing
from jaxglm._kept import _folder, _key
from jaxglm.diagnostics import means
from jaxglm.search import _drive

ETA = np.linspace(-2, 2, 5)
_events: list[str] = []
jax.monitoring.register_event_duration_secs_listener(lambda event, _, **__: _events.append(event))


def made() -> tuple[int, int]:
    """How many programs were traced, and how many were compiled, since it was asked last."""
    counts = tuple(
        sum(event.endswith(kind) for event in _events)
        for kind in ("jaxpr_trace_duration", "backend_compile_duration")
    )
    _events.clear()
    return counts[0], counts[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in use, as in a process that starts; jax's own cache is off."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    jax_cache.reset_cache()
    monkeypatch.setattr(_folder, "_told", str(tmp_path / "mine"))
    _programs.forget_programs()
    with computing():
        _programs._known(tuple(_programs._QUICK.items()))
    made()
    yield tmp_path / "mine"
    _programs.forget_programs()
    jax.config.update("jax_compilation_cache_dir", before)
    jax_cache.reset_cache()


def again() -> None:
    """As if the process had ended."""
    _programs.forget_programs()
    made()


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_a_program_is_found_again_without_being_traced(folder: Path) -> None:
    first = means(jg.Poisson(), ETA)
    assert made() == (1, 1)
    (entry,) = entries(folder)
    assert entry.stat().st_mode & 0o077 == 0 and folder.stat().st_mode & 0o077 == 0
    assert means(jg.Poisson(), ETA).tolist() == first.tolist()
    assert made() == (0, 0)
    again()
    assert means(jg.Poisson(), ETA).tolist() == first.tolist()
    assert made() == (0, 0) and entries(folder) == [entry]


def test_what_differs_has_a_program_of_its_own(folder: Path) -> None:
    np.testing.assert_allclose(means(jg.Poisson(), ETA), np.exp(ETA))
    np.testing.assert_allclose(means(jg.Poisson(link="sqrt"), ETA), ETA**2)
    np.testing.assert_allclose(means(jg.Binomial(), ETA), 1 / (1 + np.exp(-ETA)))
    np.testing.assert_allclose(means(jg.Poisson(), np.zeros(1_000)), 1)
    assert len(entries(folder)) == 4


def _own(slope: float) -> type[jg.Link]:
    class Mine(jg.Link):
        name = "mine"

        def link(self, mean):
            return mean / slope

        def inverse(self, eta):
            return slope * eta

    return Mine


def test_a_link_of_ones_own_is_traced_and_compiled_once(folder: Path) -> None:
    for slope in (2.0, 3.0):  # the same name for other mathematics
        link = _own(slope)()
        np.testing.assert_allclose(means(jg.Gaussian(link=link), ETA), slope * ETA)
        traced, compiled = made()
        assert traced and compiled == 1
        again()
        np.testing.assert_allclose(means(jg.Gaussian(link=link), ETA), slope * ETA)
        traced, compiled = made()
        assert traced and compiled == 0
    assert len(entries(folder)) == 2


def test_arguments_are_not_mistaken_for_each_other(folder: Path) -> None:
    # What is not looked at does not show in what these were traced to.
    @_programs.program()
    def first(a, b):
        return a

    @_programs.program()
    def second(a, b):
        return b

    with computing():
        for function, expected in ((first, 1.0), (second, 2.0)):
            assert function(np.float64(1.0), np.float64(2.0)) == expected


def test_threads_that_want_the_same_program_wait_for_it(folder: Path) -> None:
    traced = []

    @_programs.program()
    def doubled(x):
        traced.append(x)
        time.sleep(0.05)
        return 2 * x

    def call(_: int) -> float:
        with computing():
            return float(doubled(np.float64(1.0)))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(call, range(4))) == [2.0] * 4
    assert len(traced) == 1


def test_inside_another_program_it_is_part_of_that(folder: Path) -> None:
    @_programs.program()
    def doubled(x):
        return 2 * x

    with computing():
        assert jax.jit(lambda x: doubled(x) + 1)(jnp.ones(2)).tolist() == [3.0, 3.0]
        assert jax.vmap(doubled)(jnp.ones(2)).tolist() == [2.0, 2.0]
        assert float(jax.grad(doubled)(1.0)) == 2.0
    assert not folder.exists() or not entries(folder)


def test_outside_the_librarys_settings_nothing_is_kept(folder: Path) -> None:
    _drive._inverted(jnp.eye(3))
    assert not folder.exists() or not entries(folder)


def test_what_jaxs_own_cache_has_loaded_is_not_kept(folder: Path, tmp_path: Path) -> None:
    # Written again it would lack its functions: the next process could not run it.
    settings = {
        "jax_compilation_cache_dir": str(tmp_path / "jax"),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: jax.config.values[name] for name in settings}
    try:
        for name, value in settings.items():
            jax.config.update(name, value)
        jax_cache.reset_cache()
        first = means(jg.Poisson(), ETA)
        (entry,) = entries(folder)  # compiled
        entry.unlink()
        again()
        assert means(jg.Poisson(), ETA).tolist() == first.tolist()
        assert not entries(folder)  # loaded
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"program 1", b"program 0")),
        lambda path: _folder.Folder(path.parent).put(path.stem, b"not a program"),
    ],
    ids=["empty", "cut short", "another form", "not a program"],
)
def test_spoilt_entries_are_replaced(folder: Path, spoil) -> None:
    first = means(jg.Poisson(), ETA)
    (entry,) = entries(folder)
    good = entry.stat().st_size
    spoil(entry)
    again()
    assert means(jg.Poisson(), ETA).tolist() == first.tolist()
    assert made() == (1, 1)
    assert [path.stat().st_size for path in entries(folder)] == [pytest.approx(good, rel=0.1)]


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(_folder.os, "replace", full)
    np.testing.assert_allclose(means(jg.Poisson(), ETA), np.exp(ETA))
    assert not entries(folder)


def test_what_was_used_longest_ago_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_folder, "_MOST_BYTES", 1_000)
    store = _folder.Folder(tmp_path)
    foreign = tmp_path / "mine.program"
    foreign.write_bytes(bytes(5_000))
    os.utime(foreign, (0, 0))
    for age, name in enumerate("abcd"):
        store.put(name, bytes(200))
        os.utime(tmp_path / f"{name}.jaxglm-program", (age, age))
    assert store.get("a") == bytes(200)  # used just now
    store.put("e", bytes(200))
    assert [path.stem for path in entries(tmp_path)] == ["a", "d", "e", "mine"]
    assert store.get("b") is None


def test_the_folder_is_chosen_by_the_variable_or_the_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_folder, "_told", None)
    monkeypatch.setenv("JAXGLM_CACHE", "off")
    assert jg.compilation_cache() is None
    monkeypatch.setenv("JAXGLM_CACHE", str(tmp_path / "a"))
    assert jg.compilation_cache() == tmp_path / "a"
    assert jg.compilation_cache(tmp_path / "b") == jg.compilation_cache() == tmp_path / "b"
    assert jg.compilation_cache("off") is None
    assert jg.compilation_cache("OFF") is None and not Path("OFF").exists()
    with pytest.raises(TypeError, match='a path or "off", not 5'):
        jg.compilation_cache(5)  # type: ignore[arg-type]
    monkeypatch.setattr(_folder, "_told", None)
    monkeypatch.delenv("JAXGLM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(_folder.sys, "platform", "linux")
    _folder._opened.cache_clear()
    assert jg.compilation_cache() == tmp_path / "xdg" / "jaxglm"
    _folder._opened.cache_clear()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of POSIX")
def test_a_folder_that_others_may_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_folder, "_told", None)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="others may write to it"):
        jg.compilation_cache(tmp_path / "open")
    with pytest.raises(ValueError, match=r"cannot be kept in .*file"):
        jg.compilation_cache(tmp_path / "file")
    monkeypatch.setattr(_folder.os, "getuid", lambda: -1)
    with pytest.raises(ValueError, match="belongs to another user"):
        jg.compilation_cache(tmp_path / "mine")
    monkeypatch.setenv("JAXGLM_CACHE", str(tmp_path / "open"))
    assert jg.compilation_cache() is None  # no error where no one asked


class Here(jg.Poisson):
    """A family that is not the library's own."""


def test_only_the_librarys_own_code_is_known_by_its_name() -> None:
    partial = functools.partial(_drive.run_loop, 1, tiles="a")
    known = [jg.Poisson, _drive.run_loop, _drive.inverted, partial, jg.Logit(), jg.Status.SINGULAR]
    assert len({_key.described(value) for value in known}) == len(known)
    for foreign in (Here, lambda x: x, np.exp, functools.partial(np.exp), [_own(1.0)()], object()):
        with pytest.raises(_key.ForeignError):
            _key.described(foreign)


CHILD = """
import json, sys
import jax, numpy as np
events = []
jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: events.append(event))
from jaxglm._jax import computing
from jaxglm._tuning import tuned
from jaxglm.search import _drive
with computing(), tuned(driver="host", fewest_rows=256):
    inverse = _drive._inverted(np.array([[4.0, 1.0], [1.0, 3.0]]))
    print(json.dumps([len(events), inverse.root.dense.tolist()]))
"""


@pytest.mark.slow
def test_another_process_finds_what_calls_lapack(folder: Path) -> None:
    # jax looks for LAPACK when it traces: a program that is not traced crashed without it.
    with computing():
        matrix = np.array([[4.0, 1.0], [1.0, 3.0]])
        expected = _drive._inverted(matrix).root.dense.tolist()
    assert len(entries(folder)) == 1
    given = os.environ | {"JAXGLM_CACHE": str(folder)}
    given.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env=given,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, expected]

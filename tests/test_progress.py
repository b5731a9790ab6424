"""The progress bar of many fits: told of every segment, shown when asked for or in a session."""

import sys
import types

import pytest

import jaxglm as jg

TABLE = {"g": list("aabbcc") * 4, "y": [1.0, 2, 3, 5, 8, 13] * 4, "x": [0.0, 1, 2, 3, 5, 8] * 4}


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What bars were told: their options, and how many segments were done."""
    shown: list[dict] = []

    class Bar:
        def __init__(self, **options):
            self.told = options | {"done": 0}
            shown.append(self.told)

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            return None

        def update(self, count: int) -> None:
            self.told["done"] += count

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return shown


def fit(**options) -> jg.GroupResults:
    return jg.fit_groups("y ~ x", TABLE, "g", "gaussian", on_failure="ignore", **options)


def test_scripts_show_none_and_sessions_show_one_late(bars, monkeypatch) -> None:
    monkeypatch.delattr(sys, "ps1", raising=False)
    fit()
    assert not bars
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    fit()
    assert bars[0]["delay"] > 0 and bars[0]["done"] == bars[0]["total"] == 3
    fit(progress=False)
    assert len(bars) == 1
    fit(progress=True)
    assert bars[1]["delay"] == 0 and bars[1]["done"] == 3


def test_asked_for_without_tqdm(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"jaxglm\[progress\]"):
        fit(progress=True)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert len(fit()) == 3  # a session without tqdm goes without

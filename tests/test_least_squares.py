"""Large least-squares fits take two visits to the rows, and answer as an ordinary fit does."""

import warnings
from typing import Any

import numpy as np
import pytest

import jaxglm as jg
from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.search import _attempts, _least_squares
from jaxglm.search._attempts import Search

N = 2000
_rng = np.random.default_rng(5)
X = np.column_stack([np.ones(N), *_rng.normal(size=(2, N))])
OFFSET = 0.2 * _rng.normal(size=N)
PRIOR = _rng.uniform(0.5, 2.0, size=N)
FREQ = _rng.integers(0, 3, size=N).astype(float)
Y = X @ [0.4, 0.4, -0.3] + OFFSET + _rng.normal(size=N)
LEVEL = np.array(list("abcdefgh"))[_rng.integers(0, 8, size=N)]


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many columns the loops of a test had; those of null models have one."""
    seen: list[int] = []
    solve = _attempts.solve

    def spy(source: Any, objective: Any, loop: Any) -> Any:
        seen.append(loop.at.beta.size)
        return solve(source, objective, loop)

    monkeypatch.setattr(_attempts, "solve", spy)
    return seen


def fit(columns: np.ndarray = X, large: bool = True, **settings: Any) -> jg.Results:
    y = settings.pop("y", Y)
    given = {"offset": OFFSET, "weights": PRIOR, "freq_weights": FREQ} | settings
    fitted = {name: given.pop(name) for name in ("alpha", "start", "tol") if name in given}
    rows = {"large_rows": 0} if large else {}
    with tuned(smallest_tile=64, largest_tile=64, **rows), warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        return jg.GLM(y, columns, "gaussian", **given).fit(compress=False, **fitted)

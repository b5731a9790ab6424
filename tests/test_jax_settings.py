"""The user's jax settings are for the user's programs: the library answers the same under each."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jaxglm as jg
from tests.marks import slow_among

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
N = 60
TABLE = pd.DataFrame(
    {"x": RNG.normal(size=N), "g": RNG.choice(list("abc"), N), "k": np.repeat([1, 2, 3], N // 3)}
)
TABLE["y"] = RNG.poisson(np.exp(0.3 + 0.2 * TABLE.x) * RNG.gamma(1, 1, N))
TABLE["z"] = RNG.poisson(2, N)
X, Y = np.column_stack([np.ones(N), TABLE["x"]]), TABLE["y"].to_numpy()

SETTINGS: dict[str, Any] = {
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_transfer_guard": "disallow",
    "jax_enable_x64": True,
    "jax_default_matmul_precision": "bfloat16",
    "jax_disable_jit": True,
    "jax_check_tracer_leaks": True,
}


@contextlib.contextmanager
def set_to(settings: dict[str, Any]) -> Iterator[None]:
    before = {name: getattr(jax.config, name) for name in settings}
    try:
        for name, value in settings.items():
            jax.config.update(name, value)
        yield
        assert {name: getattr(jax.config, name) for name in settings} == settings
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def fits() -> dict[str, np.ndarray]:
    """An answer of each verb, as numbers."""
    aliased = jg.glm("y ~ x + C(g) + I(2 * x)", TABLE, "poisson", on_failure="ignore")
    single = jg.GLM(Y, X, "poisson").fit(dtype="float32")
    return {
        "formula": aliased.params.to_numpy(),
        "predict": aliased.get_prediction(TABLE).summary_frame().to_numpy(),
        "resid": aliased.resid().to_numpy(),
        "float32": single.params.to_numpy(),
    }


def groups() -> dict[str, np.ndarray]:
    """An answer of a single fit and of lanes, which are shared out among devices."""
    many = jg.fit_groups("y ~ x", TABLE, "k", "poisson")
    alone = jg.glm("y ~ x", TABLE, "poisson")
    return {"groups": many.params.to_numpy(), "alone": alone.resid().to_numpy()}


def more_fits() -> dict[str, np.ndarray]:
    sparse = jg.GLM(Y, scipy.sparse.csr_matrix(X), "poisson").fit()
    many = jg.fit_groups("y ~ x", TABLE, "k", "poisson")
    responses = jg.fit_responses("~ x", TABLE, ["y", "z"], family="poisson")
    text = str(sparse.summary()) + str(many[1].summary()) + str(responses["z"].overdispersion())
    return fits() | {
        "sparse": sparse.params.to_numpy(),
        "bootstrap": sparse.bootstrap(n=4, seed=1).params.to_numpy(),
        "shape": jg.glm("y ~ x", TABLE, "negative_binomial").params.to_numpy(),
        "groups": many.params.to_numpy(),
        "in groups": many.predict().to_numpy(),
        "responses": responses.predict(TABLE).to_numpy(),
        "words": np.array([text]),
    }


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return more_fits()


@pytest.mark.parametrize(
    "name",
    slow_among(SETTINGS, ["jax_debug_infs", "jax_enable_x64", "jax_default_matmul_precision"]),
)
def test_every_verb_answers_the_same(name: str, expected: dict[str, np.ndarray]) -> None:
    with set_to({name: SETTINGS[name]}):
        same(more_fits(), expected)


def test_arrays_of_jax_are_read_under_guard(expected: dict[str, np.ndarray]) -> None:
    given = jax.numpy.asarray(X), jax.numpy.asarray(Y)
    with set_to({"jax_transfer_guard": "disallow"}):
        found = jg.GLM(given[1], given[0], "poisson").fit().params
    np.testing.assert_allclose(found, jg.GLM(Y, X, "poisson").fit().params, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.compiled
def test_the_compiled_loop_under_all_settings_at_once() -> None:
    plain = fits()
    with set_to(SETTINGS):
        same(fits(), plain)


def run(code: str, flags: str = "") -> str:
    """What a process of its own prints; one that hangs is an error."""
    given = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()}
    root = Path(__file__).parents[1]
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, cwd=root, env=os.environ | given, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TWO_DEVICES = """
import jax
import tests.conftest
from tests.test_jax_settings import fits, groups, more_fits, same
expected = {work}()
jax.config.update("jax_default_device", jax.devices()[1])
same({work}(), expected)
print(len(jax.devices()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("work", ["groups", pytest.param("more_fits", marks=pytest.mark.slow)])
def test_the_second_of_two_devices(work: str) -> None:
    code = TWO_DEVICES.format(work=work)
    assert run(code, "--xla_force_host_platform_device_count=2") == "2\n"


FORK = """
import multiprocessing, sys
import jaxglm as jg
table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
def fit():
    return jg.glm("y ~ x", table, "poisson")
def ask(what, queue):
    try:
        queue.put(str(what()))
    except jg.FitError as error:
        queue.put(str(error))
def child(what):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=ask, args=(what, queue))
    process.start()
    said = queue.get(timeout=60)
    process.join(10)
    return said
before = child(fit)  # in a child of a process that has computed nothing
here = fit()
print(before == str(here))
print(child(lambda: here.params["x"]) == str(here.params["x"]))
print(child(fit))
print(child(lambda: here.predict(table)))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_is_refused_in_words_where_it_would_hang() -> None:
    before, undisturbed, fit, predict = run(FORK).splitlines()
    assert (before, undisturbed) == ("True", "True")
    assert "spawn" in fit and "fork before the first fit" in fit and predict == fit

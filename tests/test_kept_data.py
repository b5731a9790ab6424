"""A result answers from the rows that the fit saw, whatever becomes of the table afterwards."""

import gc
import pickle
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm import io
from jaxglm.intake._fingerprint import Fingerprint

pytestmark = pytest.mark.slow

N = 24
FORMULA = "y ~ x + g + g:z"
CHANGED = "X was changed in place after the fit: .* Fit again"


def columns() -> dict[str, np.ndarray]:
    """Fresh columns, always the same."""
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=(2, N))
    return {
        "x": x,
        "z": z,
        "g": np.tile(["a", "b"], N // 2),
        "y": rng.poisson(np.exp(1 + 0.3 * x)) * 1.0,
        "w": rng.integers(1, 3, N) * 1.0,
        "o": rng.normal(size=N) / 9,
        "firm": np.arange(N) // 3 * 1.0,
    }


# -- the doors: what the user has, and a fit of it ------------------------------------------------


def as_parquet(data: dict[str, Any], folder: Path) -> str:
    path = str(folder / "table.parquet")
    pyarrow.parquet.write_table(pa.table(data), path)
    return path


TABLES: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    "dict": lambda data, _: data,
    "pandas": lambda data, _: pd.DataFrame(data),
    "polars": lambda data, _: pl.DataFrame(data),
    "arrow": lambda data, _: pa.table(data),  # in the memory of the arrays
    "parquet": as_parquet,
}


def matrix(data: dict[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([np.ones(N), data["x"], data["z"]])


MATRICES: dict[str, Callable[[np.ndarray], Any]] = {
    "NumPy": lambda X: X,
    "by columns": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "float32": lambda X: X.astype(np.float32),
    "pandas": lambda X: pd.DataFrame(X, columns=["c", "x", "z"]),
    "CSR": scipy.sparse.csr_array,
    "COO": scipy.sparse.coo_array,
    "JAX": jnp.asarray,
}


# -- what is asked of a result --------------------------------------------------------------------

ASKED: dict[str, Callable[[jg.Results], Any]] = {
    "fittedvalues": lambda fit: fit.fittedvalues,
    "resid": lambda fit: fit.resid("deviance"),
    "resid_working": lambda fit: fit.resid_working,
    "predict": lambda fit: fit.predict(which="linear"),
    "prediction": lambda fit: fit.get_prediction().summary_frame(),
    "summary": lambda fit: str(fit.summary()),
    "overdispersion": lambda fit: str(fit.overdispersion()),
    "pickle": lambda fit: str(pickle.loads(pickle.dumps(fit)).summary()),
    "simulate": lambda fit: fit.simulate(seed=1),
    "margins": lambda fit: fit.margins(fit.names[1]).tidy(),
    "bootstrap": lambda fit: fit.bootstrap(n=3, seed=1, cluster=columns()["firm"]).params,
}


NEED_NO_ROWS = ("summary", "pickle")


def answers(fit: jg.Results) -> dict[str, Any]:
    return {name: ask(fit) for name, ask in ASKED.items()}


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, str):
        assert found == expected
    else:
        assert type(found) is type(expected) and found.equals(expected)


# -- what becomes of the table --------------------------------------------------------------------


def scale(data: dict[str, np.ndarray]) -> None:
    for name in ("x", "z", "y", "w", "o"):
        data[name] *= 3.0


def sort(data: dict[str, np.ndarray]) -> None:
    order = np.argsort(data["x"])
    for values in data.values():
        values[:] = values[order]


def overwrite_response(data: dict[str, np.ndarray]) -> None:
    data["y"][:] = 0.0


def overwrite_vectors(data: dict[str, np.ndarray]) -> None:
    data["w"][:] = 7.0
    data["o"][:] = -1.0


def drop(data: dict[str, np.ndarray]) -> None:
    for name in data:
        data[name] = data[name][5:]


CHANGES = [scale, sort, overwrite_response, overwrite_vectors, drop]


def change_table(door: str, table: Any, data: dict[str, np.ndarray], change: Any) -> None:
    """The change in the columns themselves, and in what stands for them at this door."""
    if door == "pandas":
        changed = {name: np.array(table[name]) for name in table}
        change(changed)
        if len(changed["x"]) < N:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pandas will do without `inplace`
                table.drop(index=range(5), inplace=True)
        else:
            for name, values in changed.items():
                table.loc[:, name] = values
    else:
        change(data)
    if door == "parquet":
        pyarrow.parquet.write_table(pa.table(data), table)


@pytest.fixture(scope="module", params=TABLES)
def fits_of_tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any], Callable[[Any], tuple[jg.Results, Any, dict[str, np.ndarray]]]]:
    """The door, what a fit of it answers, and a way to make such a fit that spoils its table."""
    door = request.param

    def made() -> tuple[jg.Results, Any, dict[str, np.ndarray]]:
        data = columns()
        table = TABLES[door](data, tmp_path_factory.mktemp("kept"))
        given = {"freq_weights": "w", "offset": "o"}
        if door == "dict":
            given = {"freq_weights": data["w"], "offset": data["o"]}
        return jg.glm(FORMULA, table, "poisson", **given), table, data

    def spoilt(change: Any) -> jg.Results:
        fit, table, data = made()
        change_table(door, table, data, change)
        return fit

    return door, answers(made()[0]), spoilt


@pytest.mark.parametrize("change", CHANGES)
def test_a_fit_of_a_table_answers_as_before(fits_of_tables: Any, change: Any) -> None:
    _, before, spoilt = fits_of_tables
    fit = spoilt(change)
    for name, ask in ASKED.items():
        assert_same(ask(fit), before[name])


@pytest.mark.parametrize("change", [scale, sort, overwrite_response, overwrite_vectors])
@pytest.mark.parametrize("kind", MATRICES)
def test_a_fit_of_arrays_answers_as_before_or_refuses(kind: str, change: Any) -> None:
    data = columns()
    X = MATRICES[kind](matrix(data))
    fit = jg.GLM(data["y"], X, "poisson", freq_weights=data["w"], offset=data["o"]).fit(
        compress=False
    )
    before = answers(fit)
    fit = jg.Results(fit.fit, fit.model)  # without what was computed already
    change(data)
    # Rows sorted or scaled: X is another one, but where it cannot be written to.
    changed = change in (scale, sort) and spoil(X, matrix(data))
    assert changed == (change in (scale, sort) and kind != "JAX")
    for name, ask in ASKED.items():
        if changed and kind not in ("CSR", "COO"):
            if name in NEED_NO_ROWS:
                # Coefficients need no row: only what the rows would say of the family is left out.
                table = before[name].split("\n* ")[0]
                assert ask(fit).startswith(table) and (
                    name == "pickle" or "X was changed in place" in ask(fit)
                )
                continue
            with pytest.raises(jg.DataError, match=CHANGED):
                ask(fit)
        else:
            assert_same(ask(fit), before[name])
    assert fit.params.notna().all() and len(fit.predict(matrix(data), offset=0)) == N


def spoil(X: Any, values: np.ndarray) -> bool:
    """Write other values into a matrix in place; False where nobody can."""
    if isinstance(X, pd.DataFrame):
        X.iloc[:, :] = values
    elif isinstance(X, np.ndarray):
        X[:] = values
    elif scipy.sparse.issparse(X):
        X.data[:] = X.data * 2
    else:
        return False
    return True


def test_the_users_own_sparse_matrix_is_left_as_it_is() -> None:
    X = scipy.sparse.coo_array(([1.0, 1.0, 2.0, 1.0], ([0, 0, 1, 2], [0, 0, 0, 0])), (3, 1))
    jg.GLM([2.0, 2.5, 1.0], X).fit()
    assert X.data.tolist() == [1.0, 1.0, 2.0, 1.0]


def test_what_no_rows_are_for_is_not_offered() -> None:
    slim = jg.GLM([1.0, 2.0, 5.0], np.ones((3, 1)), "poisson").fit(keep_data=False)
    loaded = pickle.loads(pickle.dumps(jg.GLM([1.0, 2.0, 5.0], np.ones((3, 1))).fit()))
    for fit, again in ((slim, "Fit with keep_data=True"), (loaded, "Fit again")):
        with pytest.raises(jg.DataError, match=rf"{again}\.$"):
            fit.resid()
        with pytest.raises(jg.DataError, match=rf"{again}, or give rows of your own as data=\.$"):
            fit.predict()


def test_the_words_name_the_rows() -> None:
    data = columns()
    X = matrix(data)
    fit = jg.GLM(data["y"], X, "poisson").fit()
    X[[3, 7], 1] += 1.0
    with pytest.raises(jg.DataError, match=r"2 rows \(first: 3, 7\) hold other values now") as info:
        fit.resid()
    for words in ("Fit again", "X.copy()", "keep_data=False"):
        assert words in str(info.value)
    assert "predict" not in str(info.value)
    with pytest.raises(jg.DataError, match=r"predict\(data=\.\.\.\)"):
        fit.predict()
    X[[3, 7], 1] -= 1.0
    fit.resid()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_sign_of_a_zero_is_no_change(dtype: type, order: str) -> None:
    X = np.zeros((5, 3), dtype, order=order)
    assert Fingerprint.of(X).changed(-X).size == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_fingerprint_notices_every_element(dtype: type) -> None:
    rng = np.random.default_rng(0)
    for p in (1, 3, 8):
        X = rng.integers(0, 2, (50, p)).astype(dtype)
        seal = Fingerprint.of(X)
        assert seal.changed(X).size == 0
        for j in range(p):
            other = X.copy()
            other[11, j] = np.nextafter(other[11, j], dtype(9))
            assert seal.changed(other).tolist() == [11]
        rows = np.flatnonzero((X[::-1] != X).any(axis=1))
        assert np.array_equal(seal.changed(X[::-1]), rows)
        columns = np.flatnonzero((X[:, ::-1] != X).any(axis=1))
        assert np.array_equal(seal.changed(X[:, ::-1]), columns)
        assert seal.take(np.array([4, 2])).changed(X[[4, 2]]).size == 0


def test_a_fingerprint_does_not_depend_on_how_the_matrix_lies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = np.random.default_rng(0).normal(size=(200, 5))
    numbers = Fingerprint.of(X).numbers
    assert np.array_equal(Fingerprint.of(np.asfortranarray(X)).numbers, numbers)
    assert np.array_equal(Fingerprint.of(np.repeat(X, 2, axis=0)[::2]).numbers, numbers)
    monkeypatch.setattr("jaxglm.intake._fingerprint._CHUNK", 200)  # many chunks, by threads
    assert np.array_equal(Fingerprint.of(X).numbers, numbers)


# -- many fits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [scale, sort, overwrite_response])
def test_segments_answer_as_before(change: Any) -> None:
    data = columns()
    fits = jg.fit_groups("y ~ x", data, "g", "poisson", offset=data["o"])
    before = [fits.predict(), fits["b"].resid(), fits["b"].predict(), str(fits["b"].summary())]
    change(data)
    after = [fits.predict(), fits["b"].resid(), fits["b"].predict(), str(fits["b"].summary())]
    for found, expected in zip(after, before, strict=True):
        assert_same(found, expected)


def test_segments_of_arrays_refuse_by_their_own_rows() -> None:
    data = columns()
    X, groups = matrix(data)[:, :2], data["g"].copy()
    X = np.ascontiguousarray(X)
    fits = jg.GLM(data["y"], X, "poisson").fit_groups(groups)
    before, early = fits["a"].resid(), fits["b"]
    X[1] *= 2.0  # a row of b
    groups[:] = "a"
    data["y"][:] = 0.0
    assert_same(fits["a"].resid(), before)
    with pytest.raises(jg.DataError, match=r"1 row \(first: 1\)"):
        fits["b"].resid()
    with pytest.raises(jg.DataError, match=CHANGED):
        fits.predict()
    assert len(early.resid()) == N // 2  # taken before the change, with its own copy
    # Two columns, y, weight and fingerprint, the linear predictor; where each row stands.
    assert early.data_nbytes == N // 2 * (6 * 8 + 4)
    assert fits["b"].params.equals(early.params)


def test_responses_answer_as_before_or_refuse() -> None:
    data = columns()
    data["v"] = data["y"][::-1].copy()
    data["v"][3] = np.nan
    table = pd.DataFrame(data)
    fits = jg.fit_responses("~ x", table, ["y", "v"], "poisson", missing="drop")
    X, Y = matrix(data)[:, :2].copy(), np.column_stack([data["y"], data["y"][::-1]])
    arrays = jg.GLM(Y, X, "poisson").fit_responses()
    before = fits.predict(), fits["v"].resid(), arrays["y2"].resid()
    table[["x", "y", "v"]] = 0.0
    Y[:] = 0.0
    after = fits.predict(), fits["v"].resid(), arrays["y2"].resid()
    for found, expected in zip(after, before, strict=True):
        assert_same(found, expected)
    X[0, 1] = 9.0
    for ask in (arrays.predict, arrays["y2"].resid):
        with pytest.raises(jg.DataError, match=CHANGED):
            ask()


# -- nothing is read again ------------------------------------------------------------------------


def test_nothing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data = columns()
    data["v"] = data["y"][::-1].copy()
    single = jg.glm(FORMULA, data, "poisson", freq_weights="w", offset="o")
    groups = jg.fit_groups("y ~ x", data, "g", "poisson")
    responses = jg.fit_responses("~ x", data, ["y", "v"], "poisson")

    def read(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the table was read again")

    for name in ("model_frame", "read_table", "read_arrays", "read_matrix"):
        monkeypatch.setattr(io, name, read)
    monkeypatch.setattr(io.TermsSpec, "pieces", read)
    answers(single)
    for fit in (groups["a"], responses["v"]):
        for name in ("resid", "prediction", "summary", "overdispersion"):
            ASKED[name](fit)
        fit.bootstrap(n=2, seed=1)
    groups.predict()
    responses.predict()


def test_a_fingerprint_is_compared_once_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    data = columns()
    fit = jg.GLM(data["y"], matrix(data), "poisson").fit()
    made: list[int] = []
    of = Fingerprint.of
    monkeypatch.setattr(Fingerprint, "of", lambda matrix: made.append(1) or of(matrix))
    for name in set(ASKED) - {"pickle"}:
        ASKED[name](jg.Results(fit.fit, fit.model))
        assert len(made) == 1, name
        made.clear()


# -- what is held ---------------------------------------------------------------------------------


def reachable(root: Any) -> list[Any]:
    """All objects that a result keeps alive, but for modules, classes and functions."""
    seen: dict[int, Any] = {}
    todo = [root]
    while todo:
        thing = todo.pop()
        code = isinstance(thing, type) or callable(thing) or type(thing).__name__ == "module"
        if id(thing) in seen or (code and thing is not root):
            continue
        seen[id(thing)] = thing
        todo.extend(gc.get_referents(thing))
    return list(seen.values())


def held_arrays(root: Any, least: int) -> int:
    """Bytes of the NumPy arrays of some size that a result keeps alive, each memory once."""
    memory = {}
    for array in reachable(root):
        if isinstance(array, np.ndarray) and array.size >= least:
            while isinstance(array.base, np.ndarray):
                array = array.base
            memory[id(array)] = array.nbytes
    return sum(memory.values())


def many_rows(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, n))
    return {"x": x, "z": z, "g": np.tile(["a", "b"], n // 2), "y": rng.poisson(2.0, n) * 1.0,
            "v": rng.poisson(2.0, n) * 1.0}  # fmt: skip


LARGE = 2000
CALLS: dict[str, tuple[Callable[..., Any], int]] = {
    # Bytes a row: three columns and a factor of four bytes; y and weight.
    "glm": (lambda data, **k: jg.glm("y ~ x + z + g", data, "poisson", **k), 3 * 8 + 4 + 16),
    # The fingerprint; y and weight.
    "GLM.fit": (
        lambda data, **k: jg.GLM(data["y"], data["X"], "poisson").fit(compress=False, **k),
        8 + 16,
    ),
    # Two columns; y and weight; order and place in the table are the same where none is left out.
    "fit_groups": (
        lambda data, **k: jg.fit_groups("y ~ x", data, "g", "poisson", **k),
        2 * 8 + 16 + 4,
    ),
    # Two columns; zeros for a response and weight; two responses.
    "fit_responses": (
        lambda data, **k: jg.fit_responses("~ x", data, ["y", "v"], "poisson", **k),
        2 * 8 + 16 + 2 * 8,
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_a_result_holds_is_what_it_says(call: str) -> None:
    fit, per_row = CALLS[call]
    data = many_rows(LARGE)
    data["X"] = np.column_stack([np.ones(LARGE), data["x"]])
    result = fit(data)
    assert result.data_nbytes == pytest.approx(per_row * LARGE, abs=100)
    theirs = data["X"].nbytes if call == "GLM.fit" else 0
    assert held_arrays(result, LARGE) == pytest.approx(result.data_nbytes + theirs, rel=0.01)
    on_device = [thing for thing in reachable(result) if isinstance(thing, jax.Array)]
    assert all(array.size < LARGE for array in on_device)

    slim = fit(data, keep_data=False)
    assert slim.data_nbytes == 0 and held_arrays(slim, LARGE // 2) == 0
    assert len(pickle.dumps(slim)) < 8 * LARGE


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_without_data_the_rows_are_freed_and_the_summary_stays(call: str) -> None:
    fit, _ = CALLS[call]
    data = many_rows(LARGE)
    data["X"] = np.column_stack([np.ones(LARGE), data["x"]])
    result = fit(data)
    slim = result.without_data()
    one, other = result, slim
    if not isinstance(result, jg.Results):
        one, other = (own[own.keys[1]] for own in (result, slim))
    assert str(one.summary()) == str(other.summary())
    assert str(one.overdispersion()) == str(other.overdispersion())
    block = weakref.ref(result.model.dataset.block)
    for ask in (lambda: other.resid(), lambda: other.fittedvalues, lambda: slim.predict()):
        with pytest.raises(jg.DataError, match=r"keep_data=False. Fit with keep_data=True"):
            ask()
    again = pickle.loads(pickle.dumps(slim))
    with pytest.raises(jg.DataError, match="keep_data=False"):
        again.predict()
    del result, one
    gc.collect()
    assert block() is None


# -- clusters -------------------------------------------------------------------------------------


def test_clusters_follow_rows_that_were_left_out() -> None:
    data = pd.DataFrame(columns(), index=np.arange(N) + 100)
    data.loc[[103, 110], "x"] = np.nan
    fit = jg.glm("y ~ x", data, "poisson", missing="drop")
    firm, kept = data["firm"], data["x"].notna()
    expected = fit.bootstrap(n=3, seed=1, cluster=firm[kept].to_numpy()).params
    shuffled = firm.sample(frac=1.0, random_state=1)
    for cluster in (firm, firm.to_numpy(), firm.tolist(), firm[kept], shuffled, shuffled[kept]):
        assert_same(fit.bootstrap(n=3, seed=1, cluster=cluster).params, expected)
    assert_same(fit.bootstrap(data, n=3, seed=1, cluster="firm").params, expected)
    saved = pickle.loads(pickle.dumps(fit)).bootstrap(data, n=3, seed=1, cluster="firm")
    np.testing.assert_allclose(saved.params, expected, rtol=1e-6)
    for cluster, words in (
        ("firm", r"bootstrap\(n=3, seed=1, cluster=table\['firm'\]\)"),
        (firm.reset_index(drop=True), "rows that were left out cannot be found by its labels"),
        (firm[:7], "cluster has length 7, but the fit has 22 rows, of 24 that were given to it"),
    ):
        with pytest.raises(jg.DataError, match=words):
            fit.bootstrap(n=3, seed=1, cluster=cluster)
    with pytest.raises(jg.DataError, match="no column 'form'"):
        fit.bootstrap(data, n=3, seed=1, cluster="form")
    with pytest.raises(jg.DataError, match="leave out data="):
        fit.bootstrap(data, n=3, seed=1, cluster=firm)


@pytest.mark.parametrize("change", ["reversed", "overwritten", "other table"])
def test_a_column_of_another_table_is_refused(change: str) -> None:
    data = columns()
    fit = jg.glm("y ~ x", data, "poisson")
    expected = fit.bootstrap(data, n=3, seed=1, cluster="firm").params
    assert_same(fit.bootstrap(n=3, seed=1, cluster=data["firm"]).params, expected)
    table = {
        "reversed": {name: values[::-1] for name, values in data.items()},
        "overwritten": data | {"x": data["x"] * 2},
        "other table": {"firm": data["firm"]},
    }[change]
    with pytest.raises(jg.DataError, match="The table is not that of the fit as it was"):
        fit.bootstrap(table, n=3, seed=1, cluster="firm")


def test_a_frame_that_is_sorted_is_found_by_its_labels() -> None:
    frame = pd.DataFrame(columns())
    fit = jg.glm("y ~ x", frame, "poisson")
    expected = fit.bootstrap(frame, n=3, seed=1, cluster="firm").params
    again = fit.bootstrap(frame.sort_values("x"), n=3, seed=1, cluster="firm")
    assert_same(again.params, expected)


def test_arrays_have_no_columns_to_name() -> None:
    data = columns()
    fit = jg.GLM(data["y"], matrix(data), "poisson").fit()
    with pytest.raises(jg.DataError, match="this is a fit of arrays"):
        fit.bootstrap(data, n=3, seed=1, cluster="firm")


# -- what a new user found ------------------------------------------------------------------------


def test_a_frame_of_several_blocks_is_a_copy_and_counts_as_one() -> None:
    data = columns()
    frame = pd.DataFrame({"x": data["x"]})
    frame["z"] = data["x"] ** 2
    several = jg.GLM(data["y"], jg.add_constant(frame), "poisson").fit()
    assert several.data_nbytes == N * 8 * (3 + 2)  # columns, response, weight
    frame["x"] = 0.0
    assert len(several.resid()) == N


def test_labels_are_not_renamed_with_the_table() -> None:
    frame = pd.DataFrame(columns())
    fit = jg.glm("y ~ x", frame, "poisson")
    frame.index.name = "other"
    assert fit.fittedvalues.index.name is None


def test_choices_of_what_to_keep_are_checked() -> None:
    data = columns()
    for keep in (None, "no"):
        with pytest.raises(ValueError, match="keep_data must be one of True, False"):
            jg.glm("y ~ x", data, "poisson", keep_data=keep)
        with pytest.raises(ValueError, match="keep_data must be one of True, False"):
            jg.fit_groups("y ~ x", data, "g", "poisson", keep_data=keep)


def test_a_structured_array_is_told_what_to_be() -> None:
    with pytest.raises(jg.DataError, match="structured array; give a frame of its fields"):
        jg.GLM(np.arange(3.0), np.zeros(3, dtype=[("a", float)])).fit()

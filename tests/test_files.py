"""Saved results: nothing is lost on the way, and nothing in a file is taken on trust."""

import copy
import io
import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from tests.hostile_files import file_of, header_of, members_of, mutations, with_header
from tests.marks import slow_among

RNG = np.random.default_rng(5)
N = 60
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.uniform(1, 5, N),
        "g": RNG.choice(list("abc"), N),
        "shop": np.repeat(["n", "s"], N // 2),
    }
)
TABLE["y"] = RNG.poisson(np.exp(0.3 + 0.2 * TABLE.x) * RNG.gamma(1, 1, N))
TABLE["y2"] = RNG.poisson(3, N)

Saved = jg.Results | jg.GroupResults | jg.ResponseResults


@pytest.fixture(scope="module")
def one() -> jg.Results:
    return jg.glm("y ~ bs(z, df=4) + C(g, Sum)*x + offset(x)", TABLE, "negative_binomial")


@pytest.fixture(scope="module")
def plain() -> jg.Results:
    return jg.GLM(TABLE["y"], jg.add_constant(TABLE[["x"]]), "gaussian").fit()


@pytest.fixture(scope="module")
def groups() -> jg.GroupResults:
    return jg.fit_groups("y ~ x", TABLE, "shop", "poisson")


@pytest.fixture(scope="module")
def responses() -> jg.ResponseResults:
    return jg.fit_responses("~ x", TABLE, ["y", "y2"], family="poisson")


KINDS = ("one", "plain", "groups", "responses")


@pytest.fixture(params=slow_among(KINDS, ["responses"]))
def result(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def content(result: Saved, folder: Path) -> bytes:
    result.save(folder / "made")
    return (folder / "made").read_bytes()


def each(result: Any) -> dict[Any, jg.Results]:
    return {"": result} if isinstance(result, jg.Results) else dict(result.items())


# -- nothing is lost -----------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_file_keeps_is_what_a_pickle_keeps(result: Any, tmp_path: Path) -> None:
    result.save(tmp_path / "fit")
    for back in (jg.load(tmp_path / "fit"), pickle.loads(pickle.dumps(result))):
        for key, fit in each(result).items():
            other = each(back)[key]
            assert str(other.summary()) == str(fit.summary())
            assert str(other.overdispersion()) == str(fit.overdispersion())
        again = content(back, tmp_path)
        assert members_of(again).keys() == members_of(content(result, tmp_path)).keys()


def test_scalars_without_end_are_read_again(tmp_path: Path) -> None:
    table = {
        "shop": list("aaaabbbb"),
        "x": [-2.0, 2, 1, 2, 0, 1, 2, 3],
        "y": [0, 1, 0, 0, 1, 2, 4, 7],
    }
    fits = jg.fit_groups("y ~ x", table, "shop", "poisson", on_failure="ignore")
    assert fits.status["a"] is jg.Status.SEPARATED and np.isinf(fits["a"].decrement)
    fits.save(tmp_path / "fits")
    back = jg.load(tmp_path / "fits")
    pd.testing.assert_frame_equal(back.glance(), fits.glance())
    np.testing.assert_array_equal(back["a"].decrement, fits["a"].decrement)


@pytest.mark.slow
def test_an_infinite_deviance_is_read_again(tmp_path: Path) -> None:
    table = {"shop": ["a"] * 6, "x": [0.0, 1, 2, 3, 4, 5], "y": [0, 0.2, 0.3, 0.6, 0.7, 1]}
    fits = jg.fit_groups("y ~ x", table, "shop", jg.Quasi("mu^2(1-mu)^2", link="logit"))
    assert np.isinf(fits.glance()["deviance"]).all()
    fits.save(tmp_path / "fits")
    pd.testing.assert_frame_equal(jg.load(tmp_path / "fits").glance(), fits.glance())


def test_standard_errors_as_large_as_fits_may_have_are_read_again(tmp_path: Path) -> None:
    fit = jg.glm("y ~ z", TABLE.assign(z=1e-149 * TABLE.z), "poisson", var_weights=1e-5)
    assert fit.bse["z"] > 1e150 and fit.converged
    fit.save(tmp_path / "fit")
    pd.testing.assert_series_equal(jg.load(tmp_path / "fit").bse, fit.bse)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_in_memory_keep_the_data(result: Any, copied: Callable[[Any], Any]) -> None:
    other = copied(result)
    assert type(other) is type(result) and other is not result and other.data_nbytes > 0
    for key, fit in each(result).items():
        np.testing.assert_array_equal(each(other)[key].resid(), fit.resid())
        np.testing.assert_array_equal(each(other)[key].predict(), fit.predict())
    np.testing.assert_array_equal(other.params, result.params)


def test_a_deep_copy_has_arrays_of_its_own_and_the_functions_of_its_formula() -> None:
    fit = jg.glm("y ~ half(x)", TABLE, "poisson", context={"half": lambda x: x / 2})
    other = copy.deepcopy(fit)
    assert not np.shares_memory(other.fit.coef, fit.fit.coef)
    np.testing.assert_array_equal(other.predict(TABLE), fit.predict(TABLE))
    X = np.column_stack([np.ones(N), TABLE["x"]])
    given = jg.GLM(TABLE["y"], X, "poisson").fit()
    other = copy.deepcopy(given)
    expected = given.resid()
    X[0, 1] = 9.0
    np.testing.assert_array_equal(other.resid(), expected)
    with pytest.raises(jg.DataError, match="changed in place"):
        given.get_prediction()


def test_a_pickle_says_what_it_left_behind(result: Any) -> None:
    back = pickle.loads(pickle.dumps(result))
    assert back.data_nbytes == 0
    with pytest.raises(jg.DataError, match="saved, loaded or pickled leave the data behind"):
        back.predict()


def test_an_error_midway_leaves_the_old_file_whole(
    result: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fit"
    result.save(path)
    before = path.read_bytes()

    def full(file: Any, **members: Any) -> None:
        file.write(b"PK\3\4")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(np, "savez", full)
        with pytest.raises(OSError, match="No space"):
            result.save(path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            result.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["fit"]


def test_links_and_permissions_stay(plain: jg.Results, tmp_path: Path) -> None:
    path, link = tmp_path / "fit", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    plain.save(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert isinstance(jg.load(path), jg.Results)
    plain.save(os.devnull)
    assert not os.path.isfile(os.devnull), "a device is written to, not replaced"


def test_where_nothing_can_be_saved(result: Any, tmp_path: Path) -> None:
    with pytest.raises(jg.DataError, match="There is no folder"):
        result.save(tmp_path / "none" / "fit")
    with pytest.raises(jg.DataError, match="is a folder"):
        result.save(tmp_path)
    with pytest.raises(jg.DataError, match=r"a path is needed, .* not BytesIO"):
        result.save(io.BytesIO())
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_full_disk_names_the_file(result: Any, tmp_path: Path) -> None:
    (tmp_path / "fit").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as said:
        result.save(tmp_path / "fit")
    assert said.value.filename == str(tmp_path / "fit")


def test_an_error_on_the_way_names_the_file_and_not_the_temporary_one(
    plain: jg.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as said:
        plain.save(tmp_path / "fit")
    assert said.value.filename == str(tmp_path / "fit") and not os.listdir(tmp_path)


KILLED = """
import sys
import jaxglm as jg
fits = [jg.load(path) for path in sys.argv[2:]]
print("ready", flush=True)
while True:
    for fit in fits:
        fit.save(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [3, pytest.param(60, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_a_kill_at_any_moment_leaves_one_of_the_two(
    plain: jg.Results, groups: jg.GroupResults, tmp_path: Path, kills: int
) -> None:
    names = [str(tmp_path / name) for name in ("target", "a", "b")]
    plain.save(names[1])
    groups.save(names[2])
    whole = [Path(name).read_bytes() for name in names[1:]]
    for i in range(kills):
        command = [sys.executable, "-c", KILLED, *names]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None and child.stdout.readline() == b"ready\n"
            time.sleep(0.05 + float(np.random.default_rng(i).uniform(0, 0.05)))
            child.send_signal(signal.SIGKILL)
        left = members_of(Path(names[0]).read_bytes())
        assert any(left.keys() == members_of(one).keys() for one in whole)
        jg.load(names[0])


# -- what is in a file ---------------------------------------------------------------------------


def load_bytes(content: bytes, folder: Path) -> Any:
    path = folder / "hostile"
    path.write_bytes(content)
    return jg.load(path)


def check(content: bytes, folder: Path, words: str) -> None:
    """The file is refused in words, or holds a result that answers, in little time and memory."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        back = load_bytes(content, folder)
    except jg.DataError as error:
        assert "hostile" in str(error), words
    except Exception as error:
        raise AssertionError(f"{words}: {error!r}") from error
    else:
        with np.errstate(all="ignore"):  # a deviance of 1e308 is a number
            for fit in each(back).values():
                fit.tidy()
                str(fit.summary())
        repr(back)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 100e6 and time.perf_counter() - start < 5, f"{words}: {peak:,} bytes"


@pytest.mark.parametrize("count", [12, pytest.param(800, marks=pytest.mark.slow)])
def test_any_damage_is_refused_or_harmless(
    result: Any, tmp_path: Path, count: int, request: pytest.FixtureRequest
) -> None:
    original = content(result, tmp_path)
    for words, damaged in mutations(original, 7, count):
        check(damaged, tmp_path, words)


def bomb(declared: int) -> bytes:
    """An archive that unpacks to more than it is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json.npy", b"\0" * declared)
    return file.getvalue()


def crowd(members: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(members):
            archive.writestr(f"{i}.npy", b"")
    return file.getvalue()


def foreign() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "made, words",
    [
        (lambda: b"", "is empty"),
        (lambda: b"PK", "too short"),
        (lambda: b"x,y\n1,2\n" * 9, "does not end as an archive"),
        (lambda: bomb(200_000_000), "claims to hold more"),
        (lambda: crowd(3000), "more members"),
        (foreign, "no header"),
        (lambda: file_of({"header.json": np.frombuffer(b"[" * 10**6, np.uint8)}), "too deeply"),
        (lambda: file_of({"header.json": np.frombuffer(b"[1]", np.uint8)}), "its header is an"),
        (lambda: file_of({"header.json": np.frombuffer(b"{}", np.uint8)}), "its header is an"),
    ],
    ids=["empty", "short", "text", "bomb", "crowd", "npz", "deep", "list", "object"],
)
def test_what_is_no_saved_result(made: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(jg.DataError, match=words):
        load_bytes(made(), tmp_path)
    check(made(), tmp_path, words)


def test_a_member_of_two_sizes(plain: jg.Results, tmp_path: Path) -> None:
    original = bytearray(content(plain, tmp_path))
    entry = original.rindex(b"PK\1\2")
    original[entry + 20 : entry + 24] = (2**30).to_bytes(4, "little")  # as it is compressed
    with pytest.raises(jg.DataError, match="of two sizes"):
        load_bytes(bytes(original), tmp_path)
    check(bytes(original), tmp_path, "two sizes")


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(jg.DataError, match="is a folder"):
        jg.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        jg.load(tmp_path / "none")


def test_what_is_no_path(plain: jg.Results, tmp_path: Path) -> None:
    for given in (None, 3, io.BytesIO(content(plain, tmp_path))):
        with pytest.raises(jg.DataError, match="a path is needed"):
            jg.load(given)  # type: ignore[arg-type]
    plain.save(os.fsencode(tmp_path / "named"))  # type: ignore[arg-type]
    assert jg.load(tmp_path / "named").params.equals(plain.params)


def damaged(original: bytes, change: Callable[[Any], None]) -> bytes:
    header = header_of(original)
    change(header)
    return with_header(original, header)


@pytest.mark.parametrize(
    "change, field",
    [
        (lambda h: h["model"].update(names=["a"]), "model.terms"),
        (lambda h: h["model"].update(used=["memory"]), "model.used"),
        (lambda h: h["family"].update({"class": "Log"}), "family.class"),
        (lambda h: h["family"]["fields"].update(alpha=-1.0), "family.fields"),
        (lambda h: h["family"]["fields"].update(alpha="1"), "family.fields.alpha"),
        (lambda h: h["link"].update({"class": "Popen"}), "link.class"),
        (lambda h: h["fit"].update(status=77), "fit.status"),
        (lambda h: h["fit"].update(n_rows=-1), "fit.n_rows"),
        (lambda h: h["fit"].update(deviance="low"), "fit.deviance"),
        (lambda h: h["fit"].pop("turns"), "fit.turns"),
        (lambda h: h["covariance"].update(scale=-1.0), "covariance.scale"),
        (lambda h: h["covariance"].update(scale_by="guess"), "covariance.scale_by"),
        (lambda h: h["row_facts"].update(counts=3), "row_facts.counts"),
        (lambda h: h["row_facts"].update(sparse_share={"float": "nan"}), "row_facts.sparse_share"),
        (lambda h: h["row_facts"].update(sparse_share=2**31), "row_facts.sparse_share"),
        (lambda h: h["fit"].update(pearson_chi2=-1.0), "fit.pearson_chi2"),
        (lambda h: h["fit"].update(deviance=-1.0), "fit.deviance"),
        (lambda h: h["fit"].update(nobs=0.5), "fit.nobs"),
        (lambda h: h["fit"].update(nobs=1e308), "fit.nobs"),
        (lambda h: h["fit"].update(weight_sum=0.5), "fit.weight_sum"),
        (lambda h: h["fit"].update(df_model=1e308), "fit.df_model"),
        (lambda h: h["fit"].update(df_resid=0.5), "fit.df_resid"),
        (lambda h: h["fit"].update(df_resid=1e308), "fit.df_resid"),
        (lambda h: h["fit"].update(log_likelihood={"float": "nan"}), "fit.log_likelihood"),
        (lambda h: h["fit"].update(decrement={"float": "nan"}), "fit.decrement"),
        (lambda h: h["fit"].update(alpha=None), "fit.alpha_se"),
        (lambda h: h["fit"].update(n_rows=2**31), "fit.n_rows"),
        (lambda h: h["fit"].update(scale=2.0), "fit.scale"),
        (lambda h: h["fit"].update(method="x"), "fit.method"),
        (lambda h: h["fit"].update(stopped_by="x"), "fit.stopped_by"),
        (lambda h: recipe(h, lambda s: s["components"][1].update(width=10**9)), "width"),
        (lambda h: recipe(h, lambda s: s["components"][0].update(text="x.__class__(")), "text"),
        (lambda h: recipe(h, lambda s: s["terms"][1].update(components=[9])), "terms"),
        (lambda h: recipe(h, lambda s: state(s).update(degree=10**9)), "degree"),
        (lambda h: recipe(h, lambda s: state(s).update(knots=["a"])), "knots"),
        (lambda h: recipe(h, lambda s: state(s).pop("boundary")), "states"),
        (lambda h: recipe(h, lambda s: s.update(format=99)), "format 99"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_field_that_is_wrong_is_named(
    one: jg.Results, change: Callable[[Any], None], field: str, tmp_path: Path
) -> None:
    with pytest.raises(jg.DataError, match=f"hostile .*{field}"):
        load_bytes(damaged(content(one, tmp_path), change), tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("pearson_chi2", -1.0), ("nobs", 0.5), ("weight_sum", 0.5), ("df_model", 1e308)),
        *(("df_resid", 0.5), ("log_likelihood", np.nan), ("decrement", np.nan), ("alpha", 1.0)),
        *(("scale", 2.0), ("n_rows", 2**31)),
    ],
)
def test_the_number_of_one_of_many_that_cannot_be_is_named(
    groups: jg.GroupResults, name: str, value: float, tmp_path: Path
) -> None:
    members = members_of(content(groups, tmp_path))
    members[f"scalars.{name}"][-1] = value
    with pytest.raises(jg.DataError, match=f"hostile .*scalars.{name}"):
        load_bytes(file_of(members), tmp_path)


def test_the_words_of_many_that_cannot_be_are_named(
    groups: jg.GroupResults, tmp_path: Path
) -> None:
    made = damaged(content(groups, tmp_path), lambda h: h["groups"]["usual"].__setitem__(0, "x"))
    with pytest.raises(jg.DataError, match=r"hostile .*method"):
        load_bytes(made, tmp_path)


def few(**given: Any) -> jg.Results:
    return jg.glm("y ~ x", TABLE, on_failure="ignore", **given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: few(family="gaussian", freq_weights=0.01),  # fewer observations than columns
        lambda: few(family="poisson", freq_weights=np.linspace(0, 2, N)),
        lambda: few(family="poisson", freq_weights=3, var_weights=0.5),
        lambda: few(family="gaussian", var_weights=np.arange(N) % 2),
        lambda: few(family="poisson", method="lbfgs"),
        lambda: few(family="poisson", max_turns=1),
        lambda: few(family="poisson", link="identity"),
        lambda: few(family="poisson", dtype="float32"),
        lambda: jg.glm("x ~ twice", TABLE.assign(twice=2 * TABLE.x)),  # a perfect fit
        lambda: jg.glm("cbind(y, y2) ~ x", TABLE, "binomial"),
        lambda: jg.fit_groups("y ~ x", TABLE, "shop", freq_weights=0.01, on_failure="ignore"),
        lambda: jg.fit_groups("x ~ y + z", TABLE[:8], "g", on_failure="ignore"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_was_saved_is_read(make: Callable[[], Any], tmp_path: Path) -> None:
    made = make()
    assert load_bytes(content(made, tmp_path), tmp_path).params.equals(made.params)


def recipe(header: Any, change: Callable[[Any], None]) -> None:
    import json

    body = json.loads(header["model"]["spec"])
    change(body)
    header["model"]["spec"] = json.dumps(body)


def state(body: Any) -> Any:
    return next(iter(body["states"].values()))


@pytest.mark.parametrize(
    "name, change, words",
    [
        ("coef", lambda a: a[:-1], "coef"),
        ("coef", lambda a: a * np.inf, "infinite"),
        ("coef", lambda a: a * np.nan, "coef"),
        ("aliased", lambda a: a.astype(float), "aliased"),
        ("cov_root", lambda a: a[:1], "cov_root"),
        ("cov_diagonal", lambda a: a[None], "cov_diagonal"),
    ],
)
def test_the_array_that_is_wrong_is_named(
    result: Any, name: str, change: Any, words: str, tmp_path: Path
) -> None:
    members = members_of(content(result, tmp_path))
    with np.errstate(invalid="ignore"):
        members[name] = change(members[name])
    with pytest.raises(jg.DataError, match=f"hostile .*{words}"):
        load_bytes(file_of(members), tmp_path)


@pytest.mark.parametrize("name", ["keys.0", "keys.0.codes", "keys.1.codes"])
def test_keys_of_several_columns_that_are_wrong(name: str, tmp_path: Path) -> None:
    table = TABLE.assign(part=np.arange(N) % 2)
    members = members_of(content(jg.fit_groups("y ~ x", table, ["shop", "part"]), tmp_path))
    for wrong in (members["coef"], members[name][:1] + 9):
        with pytest.raises(jg.DataError, match=r"hostile .*groups\.keys"):
            load_bytes(file_of(members | {name: wrong}), tmp_path)


def test_tables_of_a_package_that_is_not_installed(
    groups: jg.GroupResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = content(groups, tmp_path)
    back = load_bytes(damaged(original, lambda h: h["groups"].update(native="polars")), tmp_path)
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="install polars"):
        back.tidy()
    assert back.params.shape == (2, 2)


def test_a_fit_at_the_boundary_comes_back(tmp_path: Path) -> None:
    table = {"y": [0, 0, 0, 1, 2, 5, 9], "x": [0.0, 1, 2, 3, 4, 5, 6]}
    fit = jg.glm("y ~ x", table, "poisson(identity)", on_failure="ignore")
    assert fit.status is jg.Status.BOUNDARY and fit.method == "barrier"
    fit.save(tmp_path / "fit")
    assert jg.load(tmp_path / "fit").method == "barrier"

"""Many fits in one result: every number and word against single fits of the same rows."""

import dataclasses
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm.families import family as resolve
from jaxglm.intake import Given, table_intake
from jaxglm.lanes._failures import headline
from jaxglm.lanes._fits import Fits
from jaxglm.results import GroupResults
from jaxglm.rows._segments import Segments
from tests.old_files import without_covariance

DAYS = pd.DatetimeIndex(["2024-01-01", "2024-01-03"])


def fit_by_hand(
    formula: str, data: pd.DataFrame, by: str | list[str], family: str, native="pandas", **vectors
) -> tuple[GroupResults, dict]:
    """The result of a loop of single fits, and those fits by segment."""
    given = Given(resolve(family, None), vectors, "raise", np.dtype(float))
    intake = table_intake(formula, data, given)
    problem = intake.problem
    columns = data[by] if isinstance(by, str) else pd.MultiIndex.from_frame(data[by])
    codes, keys = pd.factorize(columns, sort=True)
    keys = pd.Index(keys, name=by) if isinstance(by, str) else keys.set_names(by)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    failed = {}
    segments = Segments(problem, order, starts, order, failed)
    usual = "irls", "Newton decrement under tolerance"
    use_t = not intake.model.family.dispersion_fixed
    fits = Fits.empty(len(keys), problem.n_columns, usual, use_t=use_t)
    singles = {}
    for g, key in enumerate(keys):
        part = segments.one(g)
        columns = np.empty((len(part.rows), problem.n_columns))
        columns[:, part.order] = np.asarray(part.design.dense(float))
        model = jg.GLM(
            part.rows.y,
            pd.DataFrame(columns, columns=intake.model.names),
            family,
            offset=part.rows.offset,
            freq_weights=part.rows.freq,
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                singles[key] = model.fit()
        except jg.DataError as error:
            failed[g] = str(error)
            fits.refuse(g, failed[g])
            continue
        fit = dataclasses.replace(singles[key].fit, notes=())
        fits.put(g, fit, problem.public(part.design.largest() == 0))
    results = GroupResults(fits, intake.model, keys, segments, native, intake.notes)
    return results, singles


def hard_table() -> pd.DataFrame:
    """Shuffled segments: ordinary, separated, collinear, short of levels, of rows that count."""
    rng = np.random.default_rng(5)
    n = 144
    table = pd.DataFrame(
        {
            "shop": np.repeat(["baseless", "fine", "lacking", "same", "split", "void"], n // 6),
            "x": rng.normal(size=n),
            "kind": np.tile(["a", "b", "c"], n // 3),
            "w": 1.0,
        }
    )
    table["y"] = (rng.random(n) < 0.5).astype(float)
    table.loc[table["shop"] == "lacking", "kind"] = np.tile(["a", "b"], 12)
    table.loc[table["shop"] == "baseless", "kind"] = np.tile(["b", "c"], 12)
    table.loc[table["shop"] == "same", "x"] = 2.0
    split = table["shop"] == "split"
    table.loc[split, "y"] = (table.loc[split, "x"] > 0).astype(float)
    table.loc[table["shop"] == "void", "w"] = 0.0
    return table.sample(frac=1.0, random_state=1).set_index(pd.Index(np.arange(n) + 100))


@pytest.fixture(scope="module")
def hard():
    table = hard_table()
    return table, *fit_by_hand("y ~ x + kind", table, "shop", "binomial", freq_weights="w")


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "region": rng.choice(["north", "south"], 60),
            "product": rng.choice([1, 2], 60),
            "x": rng.normal(size=60),
            "e": rng.uniform(1, 2, 60),
        }
    )
    table["y"] = rng.poisson(table["e"] * np.exp(0.5 + 0.3 * table["x"])).astype(float)
    return table, *fit_by_hand("y ~ x", table, ["region", "product"], "poisson", exposure="e")


def close(a, b) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-12, atol=1e-14)


@pytest.mark.slow
def test_tables_are_those_of_the_single_fits(hard) -> None:
    _, many, singles = hard
    assert list(many) == ["baseless", "fine", "lacking", "same", "split", "void"] and len(many) == 6
    for key, one in singles.items():
        for name in ("params", "bse", "tvalues", "pvalues"):
            close(getattr(many, name).loc[key], getattr(one, name))
        close(many.conf_int(0.1).loc[key], one.conf_int(0.1))
        rows = many.tidy(0.1)[lambda t, key=key: t["shop"] == key]
        assert list(rows["term"]) == one.names
        close(rows.drop(columns=["shop", "term", "method"]), one.tidy(0.1).drop(columns="term"))
        row = many.glance().set_index("shop").loc[key]
        for name in set(row.index) - {"status"}:
            close(row[name], getattr(one, name))
        assert row["status"] == one.status.name.lower() and many.status[key] is one.status
        assert one.status.name in str(many.status)
    assert many.params.loc["void"].isna().all() and many.status["void"] is jg.Status.INVALID
    assert not many.converged["void"] and np.isnan(many.glance()["nobs"].iloc[-1])
    assert many.aliased.loc["lacking", "kind[T.c]"] and many.infinite.loc["split"].any()


@pytest.mark.slow
def test_what_a_segment_lacks_is_known_of_those_settled_at_once_too(hard) -> None:
    table, many, _ = hard
    fits = jg.fit_groups(
        "y ~ x + kind", table, "shop", "binomial", freq_weights="w", on_failure="ignore"
    )
    fitted = many.fits.fitted
    for name in ("absent", "baseless", "aliased"):
        assert (getattr(fits.fits, name) == getattr(many.fits, name))[fitted].all()
    assert fits.failed.index.equals(many.failed.index)


def test_failures_are_told_in_the_words_of_single_fits(hard) -> None:
    _, many, singles = hard
    assert list(many.failed.index) == ["same", "split", "void"]  # lacking a level is no failure
    for key in ("same", "split"):
        assert many.failed[key] in " ".join(singles[key].notes)
    assert "'x'" in many.failed["same"] and "weights are zero" in many.failed["void"]
    counted = many.counts()
    assert counted.to_dict() == {
        "ordinary": 3,
        "bias reduced": 0,
        "essentially perfect": 0,
        "rank deficient": 1,
        "at a boundary": 0,
        "separated": 1,
        "not converged": 0,
        "not fitted": 1,
    }
    assert headline(many.fits, "segment") == (
        "3 of 6 segments have no ordinary optimum: 1 rank deficient, 1 separated, 1 not fitted; "
        "see .failed"
    )
    assert headline(Fits.empty(0, 2, ("irls", ""), use_t=False), "segment") is None
    assert "6 segments: 3 ordinary, 1 rank deficient" in repr(many)


def test_a_segment_is_an_ordinary_result(hard) -> None:
    table, many, singles = hard
    for key in singles:
        one, alone = many[key], singles[key]
        assert "Logit" in str(one.summary()) or "logit" in str(one.summary())
        rows = table[table["shop"] == key]
        assert one.resid().index.equals(rows.index)
        np.testing.assert_allclose(one.resid("pearson"), alone.resid("pearson"), atol=1e-6)
        close(one.effects(), alone.effects())
        close(one.overdispersion().pearson_ratio, alone.overdispersion().pearson_ratio)
        close(one.predict(rows), one.predict())
    assert singles["split"].notes[0] in many["split"].notes
    assert any("'kind[T.c]' is zero in all rows" in note for note in many["lacking"].notes)
    assert any("'kind[T.c]' is compared with a level" in note for note in many["baseless"].notes)
    assert [key for key, _ in many.items()] == list(singles)
    with pytest.raises(jg.DataError, match=r"segment 'void' has no fit: .*weights are zero"):
        many["void"]
    with pytest.raises(KeyError, match=r"no segment 'else'; there are 6 \('baseless', 'fine'"):
        many["else"]
    assert "fine" in many and "else" not in many and ["fine"] not in many


def test_predictions_are_those_of_the_segments(hard) -> None:
    table, many, singles = hard
    mine = many.predict(table)
    assert mine.index.equals(table.index) and mine.equals(many.predict())
    for key in singles:
        rows = table["shop"] == key
        close(mine[rows], many[key].predict(table[rows]))
    assert mine[table["shop"] == "void"].isna().all()
    new = pd.DataFrame(
        {
            "shop": ["lacking", "lacking", "same", "else", "baseless", "baseless"],
            "x": [1.0, 1.0, 2.0, 1.0, 1.0, 1.0],
            "kind": ["c", "b", "a", "a", "a", "c"],
        }
    )
    with pytest.raises(jg.DataError, match="not in the fit: 'else' in row 3"):
        many.predict(new)
    eta = many.predict(new, "linear", unseen="nan")
    b = many.params
    expected = [np.nan, b.loc["lacking", ["Intercept", "x", "kind[T.b]"]].sum()]
    base = b.loc["baseless", ["Intercept", "x"]].sum()
    close(eta, [*expected, b.loc["same", "Intercept"], np.nan, np.nan, base])
    with pytest.raises(jg.DataError, match="levels that were not in the fit: 'z'"):
        many.predict(new.assign(shop="fine", kind="z"))
    strange = new.iloc[:3].assign(shop="fine", kind=["z", "a", None])
    assert list(many.predict(strange, unseen="nan").isna()) == [True, False, True]
    with pytest.raises(jg.DataError, match="no column 'shop'"):
        many.predict(new.drop(columns="shop"))
    with pytest.raises(jg.DataError, match="groups= is for fits of arrays"):
        many.predict(new, groups=new["shop"])
    with pytest.raises(ValueError, match="unseen must be"):
        many.predict(new, unseen="base")


def test_keys_of_several_columns(counts) -> None:
    table, many, singles = counts
    key = ("south", 2)
    close(many[key].params, singles[key].params)
    assert key in many and "south" not in many
    assert list(many.tidy().columns[:3]) == ["region", "product", "term"]
    rows = (table["region"] == "south") & (table["product"] == 2)
    mine = many.predict(table, exposure="e")
    close(mine[rows], many[key].predict())
    with pytest.raises(jg.DataError, match="fitted with exposure="):
        many.predict(table)
    new = table.iloc[:2].assign(product=[1, 9])
    with pytest.raises(jg.DataError, match=f"\\('{new.region.iloc[1]}', 9\\) in row 1"):
        many.predict(new, exposure=1)


@pytest.mark.parametrize("native", ["polars", "pyarrow"])
def test_frames_come_back_as_they_came_in(hard, native) -> None:
    _, many, _ = hard
    other = GroupResults(many.fits, many.model, many.keys, None, native, ())
    for table, expected in ((other.tidy(), many.tidy()), (other.glance(), many.glance())):
        assert type(table).__module__.partition(".")[0] == native
        back = table.to_pandas()
        assert list(back["shop"]) == list(expected["shop"])
        for name in set(expected.columns) - {"shop"}:
            assert list(back[name].dropna()) == list(expected[name].dropna())


def test_new_data_of_any_kind(counts) -> None:
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    table, many, _ = counts
    expected = many.predict(table, exposure="e")
    for other in (polars.from_pandas(table), pyarrow.table(table), dict(table.items())):
        close(many.predict(other, exposure="e"), expected)


def test_clashing_and_missing_key_names(counts) -> None:
    _, many, _ = counts
    for names, tidy, glance in (
        (["term", "scale"], ["term_key", "scale"], ["term", "scale_key"]),
        ([None, None], ["segment_1", "segment_2"], ["segment_1", "segment_2"]),
    ):
        other = GroupResults(many.fits, many.model, many.keys.set_names(names), None, "pandas", ())
        assert list(other.tidy().columns[:2]) == tidy
        assert list(other.glance().columns[:2]) == glance
        assert other.conf_int().index.names == [*tidy, "term"]


def same(a: GroupResults, b: GroupResults, *, signed: bool = True) -> None:
    """The same tables; `signed` is false where a file knows no side of what is infinite."""
    pd.testing.assert_index_equal(a.keys, b.keys, exact=True)
    tables = [fits.tidy() for fits in (a, b)]
    if not signed:
        tables = [t.assign(estimate=t["estimate"].mask(t["infinite"], np.inf)) for t in tables]
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(a.glance(), b.glance())
    pd.testing.assert_series_equal(a.failed, b.failed)


def test_pickled_and_saved_without_data(hard, counts, tmp_path) -> None:
    for table, many, _ in (hard, counts):
        many.save(tmp_path / "fits")
        for back in (pickle.loads(pickle.dumps(many)), jg.load(tmp_path / "fits")):
            same(many, back)
            close(
                back.predict(table, exposure=1 if "e" in table else None).dropna(),
                many.predict(table, exposure=1 if "e" in table else None).dropna(),
            )
            key = many.keys[0]
            assert back[key].fit.notes == many[key].fit.notes
            with pytest.raises(jg.DataError, match=r"rows of your own as data="):
                back.predict()
            with pytest.raises(jg.DataError, match="leave the data behind"):
                back[key].resid()


def test_a_file_that_says_nothing_of_its_covariance_is_read(hard, tmp_path) -> None:
    _, many, _ = hard
    table = pd.DataFrame({"g": [1] * 5 + [2] * 6, "x": [0.0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5]})
    table["y"] = [1.0, 2, 2, 4, 3, 5, 4, 4, 2, 1, 0]
    estimated, _ = fit_by_hand("y ~ x", table, "g", "gaussian")
    for fits in (many, estimated):
        fits.save(tmp_path / "fits")
        without_covariance(tmp_path / "fits")
        same(fits, jg.load(tmp_path / "fits"), signed=False)


@pytest.mark.parametrize(
    "keys",
    [
        pd.Index([3, 5], name="k"),
        pd.Index(["a", "ü\0"], name="k"),
        pd.Index(["a", "b"], dtype=object),
        pd.Index([False, True]),
        pd.Index([0.5, 1.5]),
        pd.Index([1, 2], dtype="Int64"),
        DAYS.tz_localize("Europe/Berlin"),
        pd.Index(DAYS.date),
        pd.CategoricalIndex(["z", "a"], ["z", "a"], ordered=True),
        pd.MultiIndex.from_product([["a"], DAYS], names=["s", "t"]),
    ],
    ids=str,
)
def test_keys_come_back_with_their_types(counts, tmp_path, keys) -> None:
    _, many, _ = counts
    fits = Fits.empty(2, 2, ("irls", ""), use_t=False)
    GroupResults(fits, many.model.without_rows(let_go=False), keys, None, "pandas", ()).save(
        tmp_path / "fits"
    )
    back = jg.load(tmp_path / "fits")
    pd.testing.assert_index_equal(back.keys, keys, exact=True)


def test_keys_that_only_code_could_store(counts, tmp_path) -> None:
    _, many, _ = counts
    keys = pd.interval_range(0, 2, name="k")
    fits = Fits.empty(2, 2, ("irls", ""), use_t=False)
    with pytest.raises(jg.DataError, match="segments of 'k' hold interval"):
        GroupResults(fits, many.model.without_rows(let_go=False), keys, None, "pandas", ()).save(
            tmp_path / "fits"
        )


def test_estimated_shapes_and_dispersions() -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"g": np.repeat([1, 2], 40), "x": rng.normal(size=80)})
    mean = np.exp(1 + 0.2 * table["x"])
    table["y"] = np.where(table["g"] == 1, rng.poisson(mean * rng.gamma(1, 1, 80)), mean.round())
    many, singles = fit_by_hand("y ~ x", table, "g", "negative_binomial")
    close(many.glance()["alpha"], [singles[g].fit.alpha for g in (1, 2)])
    assert many[1].family.alpha == singles[1].family.alpha
    assert list(many.failed.index) == [2] and "not overdispersed" in many.failed[2]
    close(many[1].resid(), singles[1].resid())
    many, singles = fit_by_hand("y ~ x", table, "g", "gaussian")
    close(many.pvalues, [singles[g].pvalues for g in (1, 2)])
    close(many.conf_int().loc[2], singles[2].conf_int())


def test_fits_of_arrays() -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"g": np.repeat([1, 2], 10), "x": rng.normal(size=20)})
    table["y"] = rng.normal(size=20)
    many, _ = fit_by_hand("y ~ 0 + x", table, "g", "gaussian")
    model = dataclasses.replace(many.model, formula=None, spec=None)
    arrays = GroupResults(many.fits, model, many.keys.set_names([None]), None, "dict", ())
    X = table[["x"]].to_numpy()
    close(arrays.predict(X, groups=table["g"].to_numpy()), many.predict())
    assert list(arrays.tidy().columns[:2]) == ["segment", "term"]
    with pytest.raises(jg.DataError, match="give groups="):
        arrays.predict(X)
    with pytest.raises(jg.DataError, match="groups has 3 values, the data have 20 rows"):
        arrays.predict(X, groups=[1, 1, 2])


# -- what a review found --------------------------------------------------------------------------


@pytest.mark.slow
def test_groups_given_again_are_aligned_as_in_the_fit() -> None:
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"c": 1.0, "x": rng.normal(size=20)}, index=np.arange(20) + 100)
    a = pd.Series(np.repeat([0, 1], 10), index=X.index, name="a")
    b = pd.Series(np.tile([0, 1], 10), index=X.index, name="b")
    y = rng.normal(size=20) + 5 * a
    fits = jg.GLM(y, X).fit_groups(a.sample(frac=1, random_state=2))
    expected = fits.predict(X, groups=a)
    for again in (a.sample(frac=1, random_state=3), a.to_frame(), a.to_numpy(), [a], {"a": a}):
        assert fits.predict(X, groups=again).equals(expected)
    both = pd.concat([a, b], axis=1)
    fits = jg.GLM(y, X).fit_groups(both)
    expected = fits.predict(X, groups=both)
    for again in (both[["b", "a"]], both.sample(frac=1, random_state=1), both.to_numpy(), [a, b]):
        assert fits.predict(X, groups=again).equals(expected)
    with pytest.raises(jg.DataError, match="1 columns, but 2 make a segment"):
        fits.predict(X, groups=a)

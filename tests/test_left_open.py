"""What separation leaves open: nan beside an infinite coefficient, and rows without prediction."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.penalties import QuadraticForm
from jaxglm.search import Options, _limit
from tests import engine, group_fits
from tests.marks import slow_among

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)
N = 48
X = RNG.normal(size=N)
TABLE = pd.DataFrame(
    {
        "x": X,
        "v": RNG.normal(size=N),
        "week": np.arange(N) % 6 + 1.0,
        "g": np.array(list("aaabcd"))[np.arange(N) % 6],
        "k": np.arange(N) // 6 % 4,
        "noise": RNG.uniform(size=N) < 0.5,
    }
)
G = TABLE["g"]
TABLE["zero"] = 0.0
TABLE["level"] = np.where(G == "b", 0.0, TABLE["noise"])
TABLE["sides"] = np.where(G == "b", 0.0, np.where(G == "c", 1.0, TABLE["noise"]))
TABLE["apart"] = (TABLE["x"] + TABLE["v"] > 0).astype(float)
TABLE["first"] = np.where(G == "a", 0.0, TABLE["noise"])
TABLE["upper"] = np.where(TABLE["week"] > 2, 1.0, TABLE["noise"] & (TABLE["week"] == 2))

# Formula, family, and the coefficients that are infinite and open.
CASES: dict[str, tuple[str, str, list[str], list[str]]] = {
    "no event": ("zero ~ week", "poisson", ["Intercept"], ["week"]),
    "no event, two columns": ("zero ~ week + x", "poisson", ["Intercept"], ["week", "x"]),
    "no event, a factor": (
        *("zero ~ g + x", "poisson", ["Intercept"]),
        ["g[T.b]", "g[T.c]", "g[T.d]", "x"],
    ),
    "a level": ("level ~ x + g", "binomial", ["g[T.b]"], []),
    "a level and its slope": ("level ~ x * g", "binomial", ["g[T.b]"], ["x:g[T.b]"]),
    "two levels": ("sides ~ x + g", "binomial", ["g[T.b]", "g[T.c]"], []),
    "the first level": (
        *("first ~ x + g", "binomial"),
        ["Intercept", "g[T.b]", "g[T.c]", "g[T.d]"],
        [],
    ),
    "ties": ("upper ~ week", "binomial", ["Intercept", "week"], []),
    "ties and a column": ("upper ~ week + x", "binomial", ["Intercept", "week"], []),
    "aliased as well": ("level ~ x + g + I(2 * x)", "binomial", ["g[T.b]"], []),
}


def quiet(formula: str, family: str, table: Any = TABLE, **more: Any) -> jg.Results:
    return group_fits.quiet(jg.glm, formula, table, family, **more)


def null_space(rows: np.ndarray) -> np.ndarray:
    """[p, k], orthonormal, by the singular values of columns of length one."""
    size = np.linalg.norm(rows, axis=0)
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.svd(np.vstack([rows / size, np.zeros((rows.shape[1],) * 2)]))[1:]
    return (vectors[values < 1e-10] / size).T


SLOW = ("a level", "a level and its slope", "no event, a factor", "two levels")


@pytest.mark.parametrize("way", slow_among(["QR", "Gram matrix"], ["Gram matrix"]))
@pytest.mark.parametrize("case", slow_among(CASES, SLOW))
def test_what_the_rows_that_stay_do_not_determine_is_open(
    case: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "Gram matrix":
        monkeypatch.setattr(_limit, "_MOST_QR_WORK", 0.0)
    formula, family, infinite, left = CASES[case]
    fit = quiet(formula, family)
    names = np.array(fit.names)
    assert fit.status is jg.Status.SEPARATED
    assert names[fit.infinite].tolist() == infinite
    aliased = fit.fit.aliased
    assert names[fit.params.isna() & ~aliased].tolist() == left
    tidy = fit.tidy().set_index("term")
    said = tidy.drop(columns="infinite").isna().all(axis=1)
    assert names[said & ~aliased].tolist() == left
    unsaid = aliased | fit.infinite.to_numpy() | np.isin(names, left)
    np.testing.assert_array_equal(fit.bse.isna(), unsaid)
    np.testing.assert_array_equal(fit.cov_params().isna(), unsaid[:, None] | unsaid)
    assert int(fit.df_model) == len(names) - 1 - aliased.sum()

    rows = fit.design_matrix().to_numpy()[:, ~aliased]
    direction = fit.fit.covariance.recession[~aliased]
    rest = rows[np.abs(rows @ direction) <= 1e-6]
    seen = null_space(rest)
    by_hand = (np.abs(seen) > 1e-8).any(axis=1) & (direction == 0)
    assert names[~aliased][by_hand].tolist() == left

    p = rows.shape[1]
    new = np.vstack([rows[:6], RNG.integers(0, 3, (40, p)) / 2.0, np.eye(p)])
    new[::3] -= np.outer(new[::3] @ direction, direction) / (direction @ direction)
    still = np.abs(new @ direction) <= 1e-6
    unknown = still & (np.abs(new @ seen) > 1e-6).any(axis=1)
    if aliased.any():  # `rows` are of fewer columns than a table gives
        return
    matrix = group_fits.quiet(jg.GLM(fit.model.dataset.rows.y, rows, family).fit)
    np.testing.assert_allclose(matrix.params, fit.params, rtol=1e-9)
    frame = group_fits.quiet(matrix.get_prediction, new).summary_frame(which="linear")
    np.testing.assert_array_equal(frame["linear"].isna(), unknown)
    np.testing.assert_array_equal(frame["linear_se"].isna(), unknown | ~still)


@pytest.mark.slow
def test_what_stays_has_the_numbers_of_a_fit_of_the_rows_that_stay() -> None:
    for formula, rest in (("level ~ x + g", G != "b"), ("level ~ x * g", G != "b")):
        fit, alone = quiet(formula, "binomial"), quiet(formula, "binomial", TABLE[rest])
        told = alone.names
        np.testing.assert_allclose(fit.params[told], alone.params, rtol=1e-6)
        np.testing.assert_allclose(fit.bse[told], alone.bse, rtol=1e-6)


def test_complete_separation_leaves_all_else_open() -> None:
    fit = quiet("apart ~ x + v + week", "binomial")
    assert not np.isfinite(fit.params).any()
    assert np.isinf(fit.params[["x", "v"]]).all()


def test_the_note_and_the_warning_name_what_is_open() -> None:
    with pytest.warns(jg.SeparationWarning, match="Beside it nothing determines 'week', which is"):
        fit = jg.glm("zero ~ week", TABLE, "poisson")
    with pytest.warns(jg.SeparationWarning, match="determines 'week', 'x', which are nan"):
        jg.glm("zero ~ week + x", TABLE, "poisson")
    week = next(line for line in str(fit.summary()).splitlines() if line.startswith("week"))
    assert week.split() == ["week", "nan"]


def between(columns: list[str]) -> np.ndarray:
    """Rows of a matrix fit of `sides ~ x + g`: half of b and half of c, then of a and of c."""
    new = np.zeros((3, len(columns)))
    new[:, 0] = 1.0
    new[0, columns.index("g[T.b]")] = new[0, columns.index("g[T.c]")] = 0.5
    new[2, columns.index("g[T.c]")] = 1.0
    return new


def test_a_row_between_two_sides_has_no_prediction(tmp_path: Path) -> None:
    columns = quiet("sides ~ x + g", "binomial").design_matrix()
    fit = group_fits.quiet(jg.GLM(TABLE["sides"], columns, "binomial").fit)
    new = between(list(columns.columns))
    fit.save(tmp_path / "fit")
    for one in (fit, jg.load(tmp_path / "fit"), pickle.loads(pickle.dumps(fit))):
        with pytest.warns(jg.RankWarning, match=r"1 row \(0\).*stay finite.*'g\[T.b\]' is 0"):
            mean = one.predict(new)
        assert mean.isna().tolist() == [True, False, False] and mean[2] == 1.0
        with (
            pytest.warns(jg.RankWarning, match="stay finite"),
            pytest.warns(jg.SeparationWarning, match="Row 2 .*: no standard error"),
        ):
            frame = one.get_prediction(new).summary_frame()
        assert frame.isna().all(axis=1).tolist() == [True, False, False]
        assert frame["mean_se"].isna().tolist() == [True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fit.predict().isna().any() and not fit.predict(columns).isna().any()


@pytest.mark.slow
def test_segments_and_responses_say_what_single_fits_say(tmp_path: Path) -> None:
    columns = quiet("sides ~ x + g", "binomial").design_matrix()
    ys = {name: TABLE[name].to_numpy() for name in ("zero", "level", "sides", "first", "noise")}
    matrix, new = columns.to_numpy(), between(list(columns.columns))
    segments = jg.GLM(np.concatenate(list(ys.values())), np.tile(matrix, (5, 1)), "binomial")
    groups = group_fits.quiet(segments.fit_groups, np.repeat(list(ys), N))
    wide = columns.drop(columns="Intercept").assign(**ys)
    wide.columns = wide.columns.str.replace(r"g\[T.(.)\]", r"of_\1", regex=True)
    formula = "~ x + of_b + of_c + of_d"
    responses = group_fits.quiet(jg.fit_responses, formula, wide, list(ys), "binomial")
    rows = pd.DataFrame(new[:, 1:], columns=["x", "of_b", "of_c", "of_d"])
    for many, given in ((groups, new), (responses, rows)):
        many.save(tmp_path / "many")
        for fits in (many, jg.load(tmp_path / "many"), pickle.loads(pickle.dumps(many))):
            for key, y in ys.items():
                single = group_fits.quiet(jg.GLM(y, matrix, "binomial").fit)
                wanted = group_fits.quiet(single.predict, new)
                one = fits[key]
                for own in (one.params, fits.params.loc[key]):
                    np.testing.assert_allclose(own, single.params, rtol=1e-7)
                for own in (one.bse, fits.bse.loc[key]):
                    np.testing.assert_allclose(own, single.bse, rtol=1e-6)
                np.testing.assert_allclose(group_fits.quiet(one.predict, given), wanted, rtol=1e-7)
                if fits is many and many is groups:
                    group_fits.assert_same_fit(one, single)
                if isinstance(fits, jg.GroupResults):
                    own = group_fits.quiet(fits.predict, given, groups=np.repeat(key, 3))
                else:
                    own = group_fits.quiet(fits.predict, given)[key]
                np.testing.assert_allclose(own, wanted, rtol=1e-7)
                again = single.fit.relations_at_limit.directions(matrix.shape[1])
                found = one.fit.relations_at_limit.directions(matrix.shape[1])
                np.testing.assert_allclose(found, again, atol=1e-12)
    assert "determines 'x1', 'x2', 'x3', 'x4', which are nan" in groups.failed["zero"]
    assert groups.params.loc["zero"].isna().sum() == 4


def test_what_a_penalty_holds_is_not_open() -> None:
    one = engine.problem("zero ~ week + x", TABLE, "poisson")
    weights = one.order == 1  # `week`, wherever it stands in the design
    options = Options(penalty=QuadraticForm(np.diag(4.0 * weights)))
    fit = engine.fit(one, "poisson", options)
    assert fit.estimates[0] == -np.inf and np.isnan(fit.estimates[2])
    assert abs(fit.estimates[1]) < 1e-6
    np.testing.assert_allclose(fit.covariance.standard_errors, [np.nan, 0.5, np.nan], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_levels_of_an_eliminated_factor(dtype: str) -> None:
    with tuned(least_eliminated=2):
        table = TABLE.assign(y=np.where(TABLE["k"] == 1, 0.0, TABLE["noise"]))
        fit = quiet("y ~ 0 + C(k) * x", "binomial", table, dtype=dtype)
        whole = quiet("zero ~ x + C(k)", "poisson", dtype=dtype)
    assert [fit.params[name] for name in fit.names if "1]" in name and ":" not in name] == [-np.inf]
    assert np.array_equal(fit.params.isna(), ["1]:" in name for name in fit.names])
    assert np.isinf(whole.params["Intercept"]) and not np.isfinite(whole.params).any()


def test_a_fit_in_another_basis() -> None:
    """Columns so close to collinear that the search transforms them."""
    table = TABLE.assign(near=lambda t: t["x"] + 1e-7 * t["v"])
    fit = quiet("level ~ x + near + g", "binomial", table)
    assert fit.fit.covariance.open.sum() == 0 and np.isfinite(fit.bse["near"])
    fit = quiet("zero ~ x + near", "poisson", table)
    assert fit.params[["x", "near"]].isna().all()

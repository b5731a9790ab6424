"""The formula door: the columns R gives, coding of factors, transforms, new data, refusals."""

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jaxglm._status import DataError, FormulaError, JaxglmWarning
from jaxglm.designs._pieces import DensePiece, FactorPiece, Piece
from jaxglm.io import ModelFrame, TermsSpec, model_frame
from tests.reference.cases import CASES, load

G = np.array(["a", "b", "c", "a", "b", "c", "a", "b"])
H = np.array(["u", "u", "u", "v", "v", "v", "u", "v"])
X = np.array([0.5, 1.0, 2.0, 3.5, 4.0, 6.0, 7.5, 9.0])
FRAME = pd.DataFrame({"y": np.arange(8.0), "x": X, "z": X[::-1], "g": G, "h": H, "b": X > 3})


def dense(pieces: list[Piece]) -> np.ndarray:
    """The matrix that pieces stand for."""
    return np.hstack([_dense(piece) for piece in pieces])


def _dense(piece: Piece) -> np.ndarray:
    if isinstance(piece, DensePiece):
        return piece.values
    width = len(piece.names)
    columns = piece.contrasts
    if columns is None:
        columns = np.eye(max(piece.n_levels, width))[:, :width]
    assert piece.codes.dtype == np.int32
    assert ((piece.codes >= 0) & (piece.codes < piece.n_levels)).all()
    rows = columns[piece.codes]
    return rows if piece.multiplier is None else rows * piece.multiplier[:, None]


def columns(formula: str, data: Any = FRAME, **given: Any) -> dict[str, np.ndarray]:
    frame = model_frame(formula, data, **given)
    matrix = dense(frame.pieces)
    assert matrix.shape[1] == len(frame.names) == len(set(frame.names))
    assert [piece_name for piece in frame.pieces for piece_name in piece.names] == frame.names
    assert frame.terms[-1][1].stop == len(frame.names)
    return dict(zip(frame.names, matrix.T, strict=True))


def names(formula: str, data: Any = FRAME) -> list[str]:
    return list(columns(formula, data))


# -- the reference cases ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_columns_are_those_of_r(name: str) -> None:
    case = load(name)
    frame = model_frame(case.formula, case.frame, extra={"weights": case.weights})
    ours, theirs = dense(frame.pieces), case.X
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max(axis=0) == pytest.approx(
        0, abs=1e-10 * max(1.0, np.abs(theirs).max())
    )
    assert np.all(np.abs(ours - theirs).max(axis=0) <= 1e-10 * np.abs(theirs).max(axis=0))
    if case.offset is not None:
        assert np.allclose(frame.offset, case.offset, rtol=1e-14)
    if case.y.ndim == 2:
        assert np.array_equal(frame.y, case.y[:, 0])
        assert np.array_equal(frame.trials, case.y.sum(axis=1))
    else:
        counted = case.prior_weights is None or case.prior_weights > 0
        assert np.array_equal(frame.y[counted], case.y[counted])
    again, _, missing = TermsSpec.from_json(frame.spec.to_json()).pieces(case.frame)
    assert missing is None
    assert np.array_equal(dense(again), ours)


# -- the algebra -----------------------------------------------------------------------------------

ALGEBRA = [
    ("y ~ 1", ["Intercept"]),
    ("y ~ x - 1", ["x"]),
    ("y ~ 0 + x", ["x"]),
    ("y ~ -1 + x", ["x"]),
    ("y ~ x * z", ["Intercept", "x", "z", "x:z"]),
    ("y ~ (x + z + b)^2 - x:z", ["Intercept", "x", "z", "b[T.True]", "x:b[T.True]", "z:b[T.True]"]),
    ("y ~ x**2", ["Intercept", "x"]),
    ("y ~ z:x + z", ["Intercept", "z", "z:x"]),
    ("y ~ 0 + g + h", ["g[a]", "g[b]", "g[c]", "h[T.v]"]),
    ("y ~ x / z", ["Intercept", "x", "x:z"]),
    ("y ~ x + z %in% x", ["Intercept", "x", "x:z"]),
    ("y ~ . - g - h - b", ["Intercept", "x", "z"]),
    ("log(y + 1) ~ x + x", ["Intercept", "x"]),
    ("y ~ g", ["Intercept", "g[T.b]", "g[T.c]"]),
    ("y ~ 0 + g", ["g[a]", "g[b]", "g[c]"]),
    ("y ~ 0 + x + g + h", ["x", "g[a]", "g[b]", "g[c]", "h[T.v]"]),
    ("y ~ x:g", ["Intercept", "x:g[a]", "x:g[b]", "x:g[c]"]),
    ("y ~ x + x:g", ["Intercept", "x", "x:g[T.b]", "x:g[T.c]"]),
    ("y ~ 0 + x + x:g", ["x", "x:g[T.b]", "x:g[T.c]"]),
    ("y ~ g*h", ["Intercept", "g[T.b]", "g[T.c]", "h[T.v]", "g[T.b]:h[T.v]", "g[T.c]:h[T.v]"]),
    ("y ~ h/g", ["Intercept", "h[T.v]", *(f"h[{h}]:g[T.{g}]" for g in "bc" for h in "uv")]),
    ("y ~ 0 + g:h", [f"g[{g}]:h[{h}]" for h in "uv" for g in "abc"]),
    ("y ~ x:z + x:h", ["Intercept", "x:z", "x:h[u]", "x:h[v]"]),
    ("y ~ b", ["Intercept", "b[T.True]"]),
    ("y ~ 0 + b", ["b[False]", "b[True]"]),
    ("y ~ C(g, Treatment('b'))", ["Intercept", *(f"C(g, Treatment('b'))[T.{g}]" for g in "ac")]),
    ("y ~ relevel(g, ref='c')", ["Intercept", *(f"relevel(g, ref='c')[T.{g}]" for g in "ab")]),
    ("y ~ C(g, Sum)", ["Intercept", "C(g, Sum)[S.a]", "C(g, Sum)[S.b]"]),
    ("y ~ C(g, contr.helmert)", ["Intercept", *(f"C(g, contr.helmert)[H.{g}]" for g in "bc")]),
    ("y ~ C(g, Poly)", ["Intercept", "C(g, Poly).L", "C(g, Poly).Q"]),
    ("y ~ poly(x,2)", ["Intercept", "poly(x, 2)[1]", "poly(x, 2)[2]"]),
    ("y ~ I(x^2 )", ["Intercept", "I(x^2)"]),
]


@pytest.mark.parametrize(("formula", "expected"), ALGEBRA, ids=[f for f, _ in ALGEBRA])
def test_names(formula: str, expected: list[str]) -> None:
    assert names(formula) == expected


def test_interactions_are_products_of_main_effects() -> None:
    """Every coding of g times every coding of h, both orders, with and without numbers."""
    for g in ("g", "C(g, Sum)", "C(g, Treatment('b'))", "C(g, Poly)", "x", "poly(x, 2)", "b"):
        for h in ("h", "C(h, Helmert)", "z", "b"):
            if g == h:
                continue
            found = columns(f"y ~ {g} * {h}")
            for name, values in found.items():
                if ":" in name:
                    left, right = name.split(":")
                    assert np.allclose(values, found[left] * found[right], atol=1e-14), name


def test_three_factors_and_a_number() -> None:
    data = FRAME.assign(k=pd.Categorical(["p", "q"] * 4, categories=["q", "p"]))
    found = columns("y ~ g * h * k * x", data)
    assert found["g[T.c]:h[T.v]:k[T.p]:x"] == pytest.approx(
        ((G == "c") & (H == "v") & (data["k"] == "p")) * X
    )


def test_no_dense_column_is_made_for_a_factor() -> None:
    frame = model_frame("y ~ g + x:g + g:h + x", FRAME)
    kinds = [type(piece) for piece in frame.pieces]
    assert kinds == [DensePiece, FactorPiece, DensePiece, FactorPiece, FactorPiece]
    assert frame.pieces[3].multiplier is not None


def test_many_levels_stay_codes() -> None:
    n = 50_000
    frame = model_frame("y ~ factor(i)", {"y": np.ones(n), "i": np.arange(n)})
    (_, piece) = frame.pieces
    assert isinstance(piece, FactorPiece) and len(piece.names) == n - 1
    assert piece.codes[0] == n - 1 and piece.codes[1] == 0


def test_names_with_dots_spaces_and_keywords() -> None:
    data = {"y": X, "GNP.deflator": X, "my col": X * 2, "class": G, "in": X * 3}
    found = columns("y ~ GNP.deflator + `my col` + class + `in` + I(`my col` + GNP.deflator)", data)
    assert list(found)[1:6] == ["GNP.deflator", "my col", "class[T.b]", "class[T.c]", "in"]
    assert found["I(`my col` + GNP.deflator)"] == pytest.approx(3 * X)
    assert names("y ~ .", data)[1:] == [
        *("GNP.deflator", "my col", "class[T.b]", "class[T.c]", "in"),
    ]


def test_a_weight_that_the_dot_takes_in_is_remarked_on() -> None:
    frame = model_frame("y ~ .", FRAME, extra={"var_weights": "x", "offset": None})
    assert "'x' is a predictor and is also given as var_weights" in frame.notes[0]
    assert model_frame("y ~ . - x", FRAME, extra={"var_weights": "x"}).notes == ()


def test_a_power_of_a_name_is_remarked_on() -> None:
    assert "I(x^2)" in model_frame("y ~ x^2 + z", FRAME).notes[0]
    assert model_frame("y ~ (x + z)^2", FRAME).notes == ()


EXPRESSIONS = [
    ("I((g == 'a') - (g != 'b'))", (G == "a") * 1.0 - (G != "b")),
    ("I(x %% 2)", X % 2),
    ("I(-x^2)", -(X**2)),
    ("np.log(x) * 1", np.log(X)),
    ("I(pmin(x, z))", np.minimum(X, X[::-1])),
    ("I(1 * (x > 1 & !(x >= 6)))", ((X > 1) & ~(X >= 6)) * 1.0),
    ("I(1 * (g %in% c('a', 'c')))", np.isin(G, ["a", "c"]) * 1.0),
    ("I(1 * ('b' > g))", (G < "b") * 1.0),
    ("I(1 * (g == h))", np.zeros(8)),
    ("center(x)", X - X.mean()),
    ("scale(x)", (X - X.mean()) / X.std(ddof=1)),
    ("scale(x, scale=FALSE)", X - X.mean()),
    ("standardize(x)", (X - X.mean()) / X.std()),
    ("double(x)", 2 * X),
    ("recode(g)", (G == "a") * 1.0),
    ("band(x)", (X <= 3) * 1.0),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[t for t, _ in EXPRESSIONS])
def test_expressions(text: str, expected: np.ndarray) -> None:
    context = {"double": lambda x: 2 * x, "recode": lambda g: (g == "a") * 1.0}
    context["band"] = lambda x: np.where(x > 3, "over", "below")
    text = text if text[0] != "n" else f"I({text})"
    found = model_frame(f"y ~ 0 + {text}", FRAME, context=context)
    assert dense(found.pieces)[:, 0] == pytest.approx(expected)


def test_small_integers_do_not_overflow() -> None:
    data = {"y": X, "i": np.full(8, 100, dtype=np.int8), "j": np.full(8, 100, dtype=np.int8)}
    found = columns("y ~ I(i * 3) + i:j", data)
    assert found["I(i * 3)"][0] == 300 and found["i:j"][0] == 10_000


# -- transforms with a memory ----------------------------------------------------------------------

STATEFUL = [
    "poly(x, 3)",
    "poly(x, 2, raw=TRUE)",
    "bs(x, df=5)",
    "bs(x, knots=c(2, 4), degree=2, Boundary.knots=c(0, 10))",
    "bs(x, df=5, intercept=TRUE)",
    "ns(x, df=3)",
    "ns(x, knots=c(3), Boundary.knots=c(1, 8))",
    "scale(x)",
    "standardize(log(x))",
    "I(center(x)^2)",
]


@pytest.mark.parametrize("text", STATEFUL)
def test_new_rows_get_the_columns_of_training(text: str) -> None:
    frame = model_frame(f"y ~ {text} + g + {text}:g", FRAME)
    matrix = dense(frame.pieces)
    for rows in ([3], [5, 1], list(range(8))):
        for spec in (frame.spec, TermsSpec.from_json(frame.spec.to_json())):
            pieces, offset, missing = spec.pieces(FRAME.iloc[rows])
            assert np.allclose(dense(pieces), matrix[rows], rtol=1e-13, atol=1e-14)
            assert offset is None and missing is None


def test_splines_go_on_beyond_the_boundary() -> None:
    """ns as straight lines, bs as the cubic of the last piece."""
    frame = model_frame("y ~ 0 + ns(x, df=3)", FRAME)
    outside = dense(frame.spec.pieces({"x": np.array([9.0, 10.0, 11.0, 12.0])})[0])
    assert np.allclose(np.diff(outside, n=2, axis=0), 0, atol=1e-12)
    frame = model_frame("y ~ 0 + bs(x, df=4)", FRAME)
    with pytest.warns(JaxglmWarning, match=r"bs\(x, df=4\).* 0.5 and 9 in rows 1, 2, 3, 4, 5 "):
        outside = dense(frame.spec.pieces({"x": np.linspace(9, 12, 6)})[0])
    assert np.allclose(np.diff(outside, n=4, axis=0), 0, atol=1e-9)
    assert np.abs(np.diff(outside, n=2, axis=0)).max() > 1e-3


def test_b_splines_with_all_columns_sum_to_one() -> None:
    found = dense(model_frame("y ~ 0 + bs(x, df=6, intercept=TRUE)", FRAME).pieces)
    assert np.allclose(found.sum(axis=1), 1)


def test_polynomials_are_orthonormal() -> None:
    found = dense(model_frame("y ~ 0 + poly(x, 4)", FRAME).pieces)
    assert np.allclose(found.T @ found, np.eye(4), atol=1e-12)
    assert np.allclose(found.sum(axis=0), 0, atol=1e-12)


def test_contrasts_are_those_of_r() -> None:
    data = {"y": np.arange(4.0), "g": ["a", "b", "c", "d"]}
    poly = [[-0.6708204, 0.5, -0.2236068], [-0.2236068, -0.5, 0.6708204]]
    assert np.allclose(dense(model_frame("y ~ C(g, Poly)", data).pieces)[:2, 1:], poly, atol=1e-7)
    diff = np.array([[-3, -2, -1], [1, -2, -1], [1, 2, -1], [1, 2, 3]]) / 4  # MASS::contr.sdif(4)
    steps = model_frame("y ~ C(g, Diff)", data)
    np.testing.assert_allclose(dense(steps.pieces)[:, 1:], diff)
    assert steps.names[1:] == [f"C(g, Diff)[D.{level}]" for level in sorted(set(data["g"]))[1:]]
    helmert = [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]]
    assert np.array_equal(dense(model_frame("y ~ C(g, Helmert)", data).pieces)[:, 1:], helmert)
    total = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]
    assert np.array_equal(dense(model_frame("y ~ C(g, Sum)", data).pieces)[:, 1:], total)


# -- response, offset, companions ------------------------------------------------------------------


def test_two_labels_name_the_second_as_event() -> None:
    frame = model_frame("h ~ x", FRAME)
    assert frame.y_levels == ("u", "v")
    assert np.array_equal(frame.y, (H == "v") * 1.0)
    declared = FRAME.assign(h=pd.Categorical(H, categories=["v", "u"]))
    assert model_frame("h ~ x", declared).y_levels == ("v", "u")
    assert np.array_equal(model_frame("b ~ x", FRAME).y, (X > 3) * 1.0)


def test_grouped_response() -> None:
    frame = model_frame("cbind(x, 10 - x) ~ z", FRAME)
    assert frame.y == pytest.approx(X) and frame.trials == pytest.approx(np.full(8, 10.0))


def test_offsets_add_up() -> None:
    frame = model_frame("y ~ z + offset(log(x)) + offset(z)", FRAME)
    assert frame.offset == pytest.approx(np.log(X) + X[::-1])
    _, offset, _ = frame.spec.pieces(FRAME.head(3))
    assert offset == pytest.approx((np.log(X) + X[::-1])[:3])


def test_extra_arrays_follow_the_rows() -> None:
    data = FRAME.assign(x=[np.nan, *X[1:]])
    weights = np.where(np.arange(8) == 4, np.nan, np.arange(8.0))
    frame = model_frame(
        "y ~ x + g", data, missing="drop", extra={"w": weights, "t": "z", "o": None}
    )
    assert list(frame.rows_kept) == [1, 2, 3, 5, 6, 7]
    assert frame.n_dropped == 2 and frame.dropped_rows_first == (0, 4)
    assert list(frame.index) == [1, 2, 3, 5, 6, 7]
    assert np.array_equal(frame.extra["w"], weights[[1, 2, 3, 5, 6, 7]])
    assert np.array_equal(frame.extra["t"], X[::-1][[1, 2, 3, 5, 6, 7]])
    assert frame.extra["o"] is None
    assert "2 of 8 rows" in frame.notes[-1]


def test_companions_are_aligned_by_index() -> None:
    weights = pd.Series(np.arange(8.0), index=np.arange(8)[::-1])
    assert (
        list(model_frame("y ~ x", FRAME, extra={"w": weights}).extra["w"]) == list(range(8))[::-1]
    )
    with pytest.raises(DataError, match="index of w"):
        model_frame("y ~ x", FRAME, extra={"w": weights.set_axis(np.arange(8) + 3)})


# -- missing values, unseen and unused levels ------------------------------------------------------


def test_missing_values_are_refused_or_dropped() -> None:
    data = FRAME.assign(x=[*X[:3], np.nan, *X[4:]], g=[*G[:6], None, "b"])
    with pytest.raises(DataError, match=r"'x' \(1\), 'g' \(1\), 2 rows in all: rows 3, 6"):
        model_frame("y ~ x + g", data)
    frame = model_frame("y ~ I(x > 3) + g", data, missing="drop")
    assert frame.n_rows == 6 and frame.n_rows_given == 8
    assert dense(frame.pieces)[:, 1] == pytest.approx((X > 3)[[0, 1, 2, 4, 5, 7]] * 1.0)
    assert model_frame("y ~ z", data).rows_kept is None


def test_missing_rows_of_new_data_are_marked_not_lost() -> None:
    frame = model_frame("y ~ poly(x, 2) * g + b + offset(z)", FRAME)
    new = FRAME.head(5).assign(x=[0.5, np.nan, 2, 3, 4], g=["a", "b", None, "a", "b"])
    new["z"] = [np.nan, 1, 1, 1, 1]
    pieces, offset, missing = frame.spec.pieces(new)
    assert list(missing) == [True, True, True, False, False]
    assert dense(pieces).shape == (5, len(frame.names)) and np.isfinite(dense(pieces)).all()
    assert list(np.isnan(offset)) == list(missing)
    assert np.allclose(dense(pieces)[4, [0, 3]], 1)


def test_unused_levels_are_left_out_and_reported() -> None:
    data = FRAME.assign(g=pd.Categorical(G, categories=["c", "never", "a", "b"]))
    frame = model_frame("y ~ g", data)
    assert frame.names == ["Intercept", "g[T.a]", "g[T.b]"]
    assert "'never'" in frame.notes[0]


def test_unseen_levels() -> None:
    frame = model_frame("y ~ g + C(h, Sum)", FRAME)
    new = FRAME.assign(g=["zebra", *G[1:]])
    with pytest.raises(DataError, match=r"'g' has levels .* 'zebra' in row 0 .*level 'a'"):
        frame.spec.pieces(new)
    assert np.allclose(dense(frame.spec.pieces(new, unseen="base")[0])[0, 1:3], 0)


def test_new_data_may_lack_levels_and_order_columns_otherwise() -> None:
    frame = model_frame("y ~ g * h + x", FRAME)
    for rows in ([1], [4, 2]):
        pieces, _, _ = frame.spec.pieces(FRAME.iloc[rows][["h", "x", "g"]])
        assert np.array_equal(dense(pieces), dense(frame.pieces)[rows])


def test_new_data_may_lack_every_label() -> None:
    frame = model_frame("y ~ g + x", FRAME)
    for nothing in (None, np.nan):
        pieces, _, missing = frame.spec.pieces(FRAME.head(2).assign(g=nothing))
        assert missing.all() and dense(pieces).shape == (2, 4)


def test_spec_is_plain_json_and_pickles_without_functions() -> None:
    frame = model_frame(
        "y ~ double(x) + g + bs(z, df=4)", FRAME, context={"double": lambda x: 2 * x}
    )
    assert set(json.loads(frame.spec.to_json())) >= {"formula", "terms", "states"}
    loaded = pickle.loads(pickle.dumps(frame.spec))
    with pytest.raises(FormulaError, match=r"double.*context"):
        loaded.pieces(FRAME)
    again = TermsSpec.from_json(frame.spec.to_json(), context={"double": lambda x: 2 * x})
    assert np.array_equal(dense(again.pieces(FRAME)[0]), dense(frame.pieces))


# -- refusals --------------------------------------------------------------------------------------

BAD_FORMULAS = [
    ("y x", "exactly one"),
    ("~ x", "no response"),
    ("y ~ x | g", r"'\|'"),
    ("y ~ 2 * x", "number 2.*I"),
    ("y ~ x == 3", r"'==' .* I\("),
    ("y ~ log(x", "open"),
    ("y ~ 'x", "open"),
    ("y ~ x +", "missing at the end"),
    ("y ~ (x - 1)", "outside"),
    ("y ~ 0", "no column"),
    ("y ~ x:offset(z)", "interaction"),
    ("y ~ lag(x)", "no function 'lag'.*'log'"),
    ("y ~ log(x, 2)", "takes 1 argument"),
    ("y ~ xx", "no column 'xx'.*'x'"),
    ("y ~ log(g)", "labels"),
    ("y ~ I(x == 'a')", "text"),
    ("y ~ I(3)", "each of the 8 rows"),
    ("y ~ bs(x, dg=3)", "dg"),
    ("y ~ bs(x, df=2)", "df=2.*3 or more"),
    ("y ~ poly(x, 8)", "different values"),
    ("y ~ C(g, Treatment('q'))", "'q'.*levels"),
    ("y ~ factor(g, levels=c('a', 'b'))", "'c' in rows 2, 5 "),
    ("y ~ log(x - 0.5)", r"log\(x - 0.5\).* row 0"),
    ("y ~ x.__class__", "no column"),
    ("y ~ __import__('os')", "no function"),
    ("y ~ I(x.mean())", "no function|cannot read"),
    ("y ~ I([i for i in x])", "Python code"),
    ("g ~ x", "3 labels.*two"),
    ("cbind(x, z, y) ~ g", "successes, failures"),
    ("y ~ scale(one)", "no spread"),
    ("y ~ one_level", "'one_level' has only one level"),
    ("y ~ x + inf", r"'inf' has infinite values in row 1 "),
    ("y ~ when", "dates"),
    ("y ~ mixed", "'mixed'.* row 0 .*row 1|'mixed'.*row 0, str in row 1"),
]


@pytest.mark.parametrize(("formula", "message"), BAD_FORMULAS, ids=[f for f, _ in BAD_FORMULAS])
def test_what_cannot_work_is_refused_with_a_reason(formula: str, message: str) -> None:
    data = FRAME.assign(
        one=1.0,
        one_level="k",
        inf=np.where(np.arange(8) == 1, np.inf, 1.0),
        when=pd.date_range("2020-01-01", periods=8),
        mixed=pd.Series([1, "a"] * 4, dtype=object),
    )
    with pytest.raises(DataError, match=f"(?s){message}"):
        model_frame(formula, data)


def test_new_data_of_another_kind_is_refused() -> None:
    frame: ModelFrame = model_frame("y ~ x + g + b", FRAME)
    for change, message in [
        ({"x": G}, "'x' held numbers"),
        ({"g": X}, "'g' held labels"),
        ({"b": X}, "'b' held true and false"),
    ]:
        with pytest.raises(DataError, match=message):
            frame.spec.pieces(FRAME.assign(**change))
    with pytest.raises(DataError, match="no column 'g'"):
        frame.spec.pieces(FRAME.drop(columns="g"))


def test_empty_data_and_bad_policies() -> None:
    with pytest.raises(DataError, match="no rows"):
        model_frame("y ~ x", FRAME.head(0))
    with pytest.raises(ValueError, match="missing must be one of 'raise', 'drop'"):
        model_frame("y ~ x", FRAME, missing="ignore")
    with pytest.raises(DataError, match="no row is complete"):
        model_frame("y ~ x", FRAME.assign(x=np.nan), missing="drop")
    with pytest.raises(ValueError, match="unseen must be one of 'raise', 'base', 'nan'"):
        model_frame("y ~ x", FRAME).spec.pieces(FRAME, unseen="drop")
    assert dense(model_frame("y ~ x + g", FRAME).spec.pieces(FRAME.head(0))[0]).shape == (0, 4)

"""The text of a formula: R's meaning of it, refusals in plain words, limits, and no code run."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import jaxglm as jg
from jaxglm._status import DataError, FormulaError, JaxglmWarning
from jaxglm.io import model_frame

N = 12
COLUMNS = {name: np.arange(N) * (i + 1.0) % 7 + 1 for i, name in enumerate("yxzabc")}
DATA = {**COLUMNS, "g": np.array(list("pqr" * 4)), "my column": np.arange(N), "2x": np.arange(N)}


def terms(formula: str) -> list[str]:
    """The labels of the terms, as R's attr(terms(...), "term.labels"); "1" is the intercept."""
    frame = model_frame(formula, DATA)
    return ["1" if label == "Intercept" else label for label, _ in frame.terms]


# -- R's terms(formula) ----------------------------------------------------------------------------

TERMS = {
    "y ~ x*x": "1 x",
    "y ~ x:x": "1 x",
    "y ~ x/x": "1 x",
    "y ~ (a + b)^2": "1 a b a:b",
    "y ~ (a + a)^2": "1 a",
    "y ~ (a + b + a:b)^2": "1 a b a:b",
    "y ~ (a + b)^2.0": "1 a b a:b",
    "y ~ (a + b)^1000": "1 a b a:b",
    "y ~ (a + b)^2 - a:b": "1 a b",
    "y ~ (a + b + c)^3 - (a:b + c)": "1 a b a:c b:c a:b:c",
    "y ~ a/b/c": "1 a a:b a:b:c",
    "y ~ a/(b + c)": "1 a a:b a:c",
    "y ~ (a + b)/c": "1 a b a:b:c",
    "y ~ a/b*c": "1 a c a:b a:c a:b:c",
    "y ~ a*b:c": "1 a b:c a:b:c",
    "y ~ a %in% b": "1 a:b",
    "y ~ a %in% (b + c)": "1 a:b:c",
    "y ~ (a + b) %in% c": "1 a:c b:c",
    "y ~ a + b %in% a": "1 a a:b",
    "y ~ a:b:c - b:a:c": "1",
    "y ~ b:a + a:b": "1 b:a",
    "y ~ a - b + b": "1 a b",
    "y ~ a*b - (a + b)": "1 a:b",
    "y ~ a + (b - a)": "1 a b",
    "y ~ -1 + 1": "1",
    "y ~ x - 1 - 1": "x",
    "y ~ x - 0": "1 x",
    "y ~ x + 0": "x",
    "y ~ 1 + 0 + x": "x",
    "y ~ x + -1": "x",
    "y ~ x - -1": "1 x",
    "y ~ x - (1)": "x",
    "y ~ x - (1 + x) + z": "z",
    "y ~ 0L + x": "x",
    "y ~ (1 + x)": "1 x",
    "y ~ . - g - `my column` - Q('2x')": "1 x z a b c",
    "log(y) ~ . - g - `my column` - `2x`": "1 x z a b c",
    "cbind(y, x) ~ . - g - `my column` - `2x`": "1 z a b c",
    "y ~ . - y - g - `my column` - `2x`": "1 x z a b c",
}


@pytest.mark.parametrize(("formula", "expected"), TERMS.items(), ids=list(TERMS))
def test_terms_are_those_of_r(formula: str, expected: str) -> None:
    assert terms(formula) == expected.split()


REMARKS = {
    "y ~ x*x": r"x\*x in a formula is x itself.*I\(x\^2\)",
    "y ~ x:x": r"I\(x\^2\)",
    "y ~ x/x": r"x/x in a formula is x itself \([^()]*\)$",
    "y ~ x %in% x": r"is x itself \([^()]*\)$",
    "y ~ I(x)^2": r"a power of numbers is written I\(x\^2\)$",
    "y ~ g^2": r"g\^2 in a formula is g itself \([^()]*\)$",
    "y ~ g:g": r"g:g in a formula is g itself \([^()]*\)$",
    "y ~ C(x)*C(x)": r"is C\(x\) itself \([^()]*\)$",
    "y ~ bs(x, df=4)^2": r"is bs\(x, df=4\) itself \([^()]*\)$",
    "y ~ I(x > 3)^2": r"is I\(x > 3\) itself \([^()]*\)$",
    "y ~ a + offset(z)^2": r"a power of numbers is written offset\(z\^2\)$",
    "y ~ a + offset(log(z))^2": r"a power of numbers is written offset\(log\(z\)\^2\)$",
    "y ~ a + offset(z + 1)^3": r"a power of numbers is written offset\(\(z \+ 1\)\^3\)$",
    "y ~ (x)^3": r"\(x\)\^3 in a formula is x itself.*I\(x\^3\)",
    "y ~ log(x)**2": r"I\(log\(x\)\^2\)",
    "y ~ a - z": "'- z' in the formula: there is no term z to take out",
    "y ~ a + offset(z) + offset(z)": r"offset\(z\) stands in the formula twice and counts once",
}


@pytest.mark.parametrize(("formula", "message"), REMARKS.items(), ids=list(REMARKS))
def test_a_formula_that_does_not_mean_what_it_seems_to_is_remarked_on(
    formula: str, message: str
) -> None:
    (note,) = model_frame(formula, DATA).notes
    assert re.search(message, note)


@pytest.mark.parametrize("formula", ["y ~ .^2", "y ~ (a + b)^2", "y ~ x^1", "y ~ . - y", "y ~ a*b"])
def test_nothing_is_remarked_where_nothing_is_odd(formula: str) -> None:
    assert model_frame(formula, DATA).notes == ()


def test_powers_of_the_dot_are_all_interactions() -> None:
    assert len(terms("y ~ .^2")) == 1 + 8 + 8 * 7 // 2


# -- refusals --------------------------------------------------------------------------------------

REFUSED = {
    # Numbers, signs and powers where only terms have a meaning.
    "y ~ 1/x": r"number 1 .*I\(1/x\)",
    "y ~ 0*x": "number 0",
    "y ~ x:1": "number 1",
    "y ~ x + 2": "number 2",
    "y ~ 2*offset(x)": "number 2",
    "y ~ (1 + a):b": "'(1 + a):b': 1 stands for the intercept",
    "y ~ a*(b - 1)": "outside of the parentheses",
    "y ~ -x": r"takes a term away from nothing.*I\(-x\)",
    "y ~ z + -x": "takes a term away from nothing",
    "y ~ x^0": "'x^0' must be a whole number, 1 or more",
    "y ~ x^0.5": "whole number",
    "y ~ x^2^2": "'x^2^2'",
    "y ~ x^z": "whole number",
    "y ~ x - offset(a)": "no offset(a) to take out",
    "y ~ . - nosuch": "no column 'nosuch'",
    "y ~ log(.)": "'.' stands for all other columns",
    ". ~ x": "'.' stands for all other columns",
    # What is missing, or too much.
    "y ~": "nothing on its right side",
    "y ~ x ~ z": "2 '~'",
    "y = x": "'~' stands in place of '='",
    "(y ~ x)": "check the parentheses",
    "y ~ x +": "missing at the end of 'x +'",
    "y ~ * x": "missing at the start",
    "y ~ x + * z": "missing between '+' and '*'",
    "y ~ ()": "missing between '(' and ')'",
    "y ~ x)": "')' without a '('",
    "y ~ (x": "parenthesis is left open",
    "y ~ 'x": "left open",
    "y ~ ``": "no name between the backticks",
    "y ~ x z": "nothing between 'x' and 'z'",
    "y ~ (x)(z)": "nothing between ')' and '('",
    "y ~ I(x z)": "nothing between 'x' and 'z'",
    "y ~ I(x +)": "'I(x +)' in the formula cannot be read",
    # Names of columns.
    "y ~ my column": "the column 'my column' must stand in backticks: `my column`",
    "y ~ log(my column)": "must stand in backticks: `my column`",
    "my column ~ x": "must stand in backticks: `my column`",
    "y ~ 2x": "must stand in backticks: `2x`",
    "y ~ 'x'": "without quotes, or in backticks: `x`",
    "y ~ table$x": "name the column alone",
    "y ~ I(x.mean)": "no column 'x.mean' in the data; a dot is a letter of a name",
    "y ~ Q(x)": 'Q("my column") or `my column`',
    # Signs that have no meaning there, or only look like those that have.
    "y ~ x, z": "terms are joined by '+'",
    "y ~ (x | g)": "a random effect is (1 | g)",
    "y ~ {x + z}": "parentheses",
    "y ~ x == z": "I(...)",
    "y ~ not x": "cannot be read",
    "y ~ x and z": "'and'",
    "y ~ x \u2212 z": "(U+2212) at position 6 only looks like '-'",
    "y \u223c x": "only looks like '~'",
    "y ~ \u201cx\u201d": "only looks like '\"'",
    # Functions and their arguments.
    "y ~ lgo(x)": "did you mean 'log'?",
    "y ~ math.log(x)": "did you mean 'log'",
    "y ~ log(x, 2)": "log2(x), log10(x)",
    "y ~ pmax()": "pmax() takes one or more arguments",
    "y ~ pmin(x, na.rm=TRUE)": "pmin() takes one or more arguments, without a name",
    "y ~ I(x, z)": "I(...) takes one expression",
    "y ~ I(offset(x)^2)": "offset(...) is a term by itself",
    "y ~ log(offset(x))": "as in offset(log(x))",
    "y ~ offset(offset(x))": "offset(...) is a term by itself",
    "y ~ C(g, contr.treatment(base=2))": "'b' as the reference level write C(g, Treatment('b'))",
    "y ~ C(x, contr.treatment(2))": "write C(x, Treatment('b'))",
    "y ~ C(x, contr.sum(3))": "takes no argument; write C(x, contr.sum)",
    "y ~ C(g, contr.SAS)": "no coding 'contr.SAS'; with 'c' as the last level it is Treatment('c')",
    "y ~ C(g, contr.SAS(3))": "there is no coding 'contr.SAS'; with 'c' as the last",
    "y ~ C(g, 'contr.SAS')": "there is no coding 'contr.SAS'; with 'c' as the last",
    "y ~ C(g, contr.mean)": "there is no coding 'contr.mean'; there is Treatment",
    "y ~ C(g, contr.mean(3))": "there is no coding 'contr.mean'; there is Treatment",
    "y ~ relevel(g, ref=2)": "name the reference, as in ref='b'",
    "y ~ x^-1": "the power in 'x^-1' must",
    "y ~ x ** -1": "the power in 'x ** -1' must",
    "y ~ x^(-1)": "the power in 'x^(-1)' must",
    "y ~ x^--1 + z": "the power in 'x^--1' must",
    "y ~ x^-2^(1/2):z": "the power in 'x^-2^(1/2)' must",
    "y ~ x^-": "the power in 'x^-' must",
    "y ~ offset()": "offset(...) takes one expression",
    "y ~ cbind(a, b)": "on the right side write a + b",
    "y ~ cut(x, 3)": "pandas.cut",
    "y ~ ifelse(x > 3, 1, 0)": "I(1 * (x > 3))",
    "y ~ np.where(x > 3, 1, 0)": "I(1 * (x > 3))",
    "y ~ cr(x, df=4)": "ns(x, df=4)",
    "y ~ te(x)": "s(x, k=10)",
    "y ~ poly(x, z)": "degree must be one number",
    "y ~ poly(x, 0)": "degree=0 is too small",
    "y ~ poly(x, 2.5)": "degree=2.5 must be a whole number",
    "y ~ poly(x, 'a')": "degree must be one number",
    "y ~ poly(x, 2, raw='yes')": "raw must be True or False",
    "y ~ poly(x, 1, FALSE, 3)": "there can be degree, raw besides the column",
    "y ~ bs(x, dg=3)": "no argument 'dg'",
    "y ~ bs(x, df=g)": "df must be one number",
    "y ~ bs(x, df=4, df=5)": "'df' is given twice",
    "y ~ bs(x, **z)": "without '**'",
    "y ~ bs(x, knots='a')": "knots must be a number, or several",
    "y ~ bs(x, knots=c(99))": "the knots 99 must lie between the boundary knots",
    "y ~ bs(x, Boundary.knots=3)": "two different, increasing",
    "y ~ bs(x, Boundary.knots=c(90, 99), df=5)": "no value lies between",
    "y ~ scale(x, center='a')": "center must be one number",
    "y ~ standardize(x, ddof=99)": "ddof=99 is too large",
    "y ~ C(g, Treatment('zzz'))": "'zzz' is not one of its levels in the rows used; there is p",
    "y ~ C(g, Treatment(ref='p'))": "no argument 'ref'",
    "y ~ C(g, Summ)": "no coding 'Summ'; did you mean 'Sum'?",
    "y ~ C(g, x)": "behind the column stands a coding",
    "y ~ factor(g, levels=3)": "levels must be all levels",
    "y ~ factor(g, labels=c('q'))": "did you mean 'levels'?",
    "y ~ relevel(g)": "there can be ref besides the column",
    "y ~ relevel(g, ref=c('p', 'q'))": "one level",
    # Values that do not go together.
    "y ~ log(g)": "'g' holds labels",
    "y ~ log('x')": "is not a number",
    "y ~ log(-1)": "it names no column",
    "y ~ I(x + poly(x, 2))": "different numbers of rows or columns",
    "y ~ I(x > c(1, 2))": "%in% c(...)",
    "y ~ I(x == NULL)": "NULL or None",
    "y ~ I(g %in% c(1, 2))": "the values are text, and 1 is none",
    "y ~ I(x %in% 'p')": "the values are numbers, and 'p' is none",
}
INSIDE = re.compile(
    r"\bv\d\b|_name\d|_fit_|Labels\(|Contrast|numpy|array|ufunc|dtype|NoneType|invalid syntax|"
    r"positional|unexpected keyword|object at|literal"
)


@pytest.mark.parametrize(("formula", "message"), REFUSED.items(), ids=list(REFUSED))
def test_what_has_no_meaning_is_refused_in_the_users_words(formula: str, message: str) -> None:
    pattern = message if ".*" in message else re.escape(message)
    with pytest.raises(FormulaError, match=pattern) as refused:
        model_frame(formula, DATA)
    assert not INSIDE.search(str(refused.value))


@pytest.mark.parametrize("formula", [None, 3, ["y", "x"]])
def test_a_formula_that_is_no_text_is_refused(formula: object) -> None:
    with pytest.raises(FormulaError, match="must be a string such as"):
        jg.glm(formula, DATA)


def test_every_verb_refuses_the_same() -> None:
    data = {**DATA, "s": np.repeat(["u", "v"], N // 2)}
    for call in (
        lambda: jg.glm("y ~ 1/x", data),
        lambda: jg.fit_groups("y ~ 1/x", data, by="s"),
        lambda: jg.fit_responses("~ 1/x", data, responses=["y", "z"]),
    ):
        with pytest.raises(FormulaError, match=r"I\(1/x\)"):
            call()


# -- habits from Python and R ----------------------------------------------------------------------

SAME = {
    'Q("my column")': "`my column`",
    "log(Q('x'))": "log(x)",
    "np.log(x)": "log(x)",
    "numpy.log1p(x)": "log1p(x)",
    "np.power(x, 2)": "I(x^2)",
    "np.square(x)": "I(x**2)",
    "np.exp(x)": "exp(x)",
    "np.abs(x - 3)": "abs(x - 3)",
    "ceiling(x / 2)": "np.ceil(x / 2)",
    "I(x * (g %in% c('p')))": "I(x * (g == 'p'))",
    "as.factor(g)": "factor(g)",
    "relevel(g, ref='q')": "C(g, Treatment(reference='q'))",
    "C(g, 'contr.sum')": "C(g, Sum)",
}


@pytest.mark.parametrize(("habit", "plain"), SAME.items(), ids=list(SAME))
def test_habits_that_mean_one_and_the_same_are_understood(habit: str, plain: str) -> None:
    ours, theirs = (model_frame(f"y ~ 0 + {text}", DATA).pieces[0] for text in (habit, plain))
    if hasattr(ours, "values"):
        assert np.array_equal(ours.values, theirs.values)
    else:
        assert np.array_equal(ours.codes, theirs.codes)


def test_letters_that_python_takes_for_others_are_their_own() -> None:
    data = {"y": COLUMNS["y"], "\u00b5": COLUMNS["x"], "\u03bc": COLUMNS["z"]}
    frame = model_frame("y ~ 0 + \u00b5 + \u03bc", data)
    assert np.array_equal(frame.pieces[0].values, np.column_stack([COLUMNS["x"], COLUMNS["z"]]))


def test_b_splines_beyond_their_knots_are_warned_of_where_predict_is_called() -> None:
    fit = jg.glm("y ~ bs(x, df=4)", DATA)
    with pytest.warns(JaxglmWarning, match=r"bs\(x, df=4\).*1 and 7 in row 1 ") as caught:
        fit.predict({"x": np.array([3.0, 50.0])})
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "No prediction for 1 row")
        fit.predict({"x": np.array([3.0, np.nan])})
        jg.glm("y ~ ns(x, df=3)", DATA).predict({"x": np.array([3.0, 50.0])})


# -- limits ----------------------------------------------------------------------------------------

TOO_MUCH = {
    "parentheses": ("y ~ " + "(" * 10_000 + "x" + ")" * 10_000, "100 parentheses inside each"),
    "open parentheses": ("y ~ I(" + "(" * 10_000, "100 parentheses inside each"),
    "a sum in I": ("y ~ I(" + "+".join(["x"] * 5_000) + ")", "200 deep"),
    "signs in I": ("y ~ I(" + "-" * 20_000 + "x)", "200 deep"),
    "powers in I": ("y ~ I(" + "^".join(["x"] * 5_000) + ")", "200 deep"),
    "signs": ("y ~ x " + "-" * 10_000 + "x", "missing between"),
    "characters": ("y ~ x" + "+x" * 5_000_000, "10000005 characters"),
    "a name": ("y ~ 'x" + "x" * 100_000, "left open"),
    "crossed": ("y ~ " + "*".join(f"x{i}" for i in range(30)), "50000 terms"),
    "a power": ("y ~ (" + "+".join(f"x{i}" for i in range(30)) + ")^12", "50000 terms"),
    "products": (f"y ~ ({'*'.join(f'x{i}' for i in range(13))})^9", "50000 terms"),
    "df": ("y ~ bs(x, df=10**9)", "200 or less"),
    "degree": ("y ~ poly(x, 10^7, raw=TRUE)", "200 or less"),
    "degree of bs": ("y ~ bs(x, degree=1e300)", "200 or less"),
    "knots": ("y ~ ns(x, knots=c(" + ",".join(["3"] * 500) + "))", "500 numbers"),
    "a number": ("y ~ I(x * 1e999)", "larger than a number can be"),
    "digits": ("y ~ (x + z)^1" + "0" * 5_000, "larger than a number can be"),
    "a tower": ("y ~ I(x * 9^9^9^9)", "NaN or infinite"),
    "a zero byte": ("y ~ I(x\0)", "cannot be read"),
}


@pytest.mark.parametrize(("formula", "message"), TOO_MUCH.values(), ids=list(TOO_MUCH))
def test_too_much_is_refused_before_it_is_done(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as refused:
        model_frame(formula, DATA)
    assert len(str(refused.value)) < 1_000


def test_what_is_within_the_limits_is_read() -> None:
    names = [f"x{i}" for i in range(150)]
    data = {"y": np.ones(3), **{name: np.arange(3.0) + i for i, name in enumerate(names)}}
    assert len(model_frame("y ~ (" + "+".join(names[:10]) + ")^10", data).names) == 2**10
    frame = model_frame(f"y ~ 0 + I({'+'.join(names)})", data)
    assert frame.pieces[0].values[0, 0] == sum(range(150))
    assert len(model_frame("y ~ " + "+".join(names * 100), data).names) == 151


def test_levels_that_cannot_be_crossed_or_coded_are_refused() -> None:
    n = 6_000
    data = {"y": np.ones(n), "i": np.arange(n), "j": np.arange(n) % 3_000}
    with pytest.raises(DataError, match=r"interaction C\(i\):C\(j\) has 17\d{6} columns"):
        model_frame("y ~ C(i) * C(j)", data)
    with pytest.raises(DataError, match=r"coding of C\(i, Sum\) is a matrix of 35\d{6} numbers"):
        model_frame("y ~ C(i, Sum)", data)
    with pytest.raises(FormulaError, match=r"C\(j, Poly\) has 3000 levels.* can have 95"):
        model_frame("y ~ C(j, Poly)", data)


# -- no code ---------------------------------------------------------------------------------------

HOSTILE = [
    "__import__('os').system('touch {path}')",
    "I(__import__('os').system('touch {path}'))",
    "open('{path}', 'w')",
    "I(open('{path}', 'w').write('x'))",
    "exec('1')",
    "eval('1')",
    "compile('1', 'a', 'eval')",
    "getattr(x, 'real')",
    "globals()",
    "print(x)",
    "os.system('touch {path}')",
    "x.__class__",
    "I(x.__class__.__mro__)",
    "I((x).__class__)",
    "I(().__class__.__bases__[0].__subclasses__())",
    "I(x.mean())",
    "I('a'.join(c('b', 'c')))",
    "I('{0.__class__}'.format(x))",
    "x[0]",
    "I(x[0])",
    "I(x[:])",
    "I(lambda: x)",
    "(lambda x: x)(x)",
    "I([i for i in x])",
    "I({{i for i in x}})",
    "I(x if True else z)",
    "I(x := 3)",
    "I(f'{x}')",
    "I(f'{__import__(\"os\").getcwd()}')",
    "I(*x)",
    "log(*c(x))",
    "log(**c(x))",
    "I(await x)",
    "I((yield x))",
    "I({{'a': x}})",
    "I(...)",
    "np.load('{path}')",
    "np.fromfile('{path}')",
    "np.log.__class__(x)",
    "log.__call__(x)",
    "log(x)(x)",
    "Q('x').__class__",
    "I(`__import__`('os'))",
    "`__import__`('os')",
    "C(g, __import__('os'))",
    "bs(x, df=__import__('os'))",
    "C.__globals__",
    "I(1 if __import__('os') else 2)",
    "x; import os",
    "x\nimport os",
    "I(x\n);__import__('os')",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_formula_runs_no_code(text: str, tmp_path: Path) -> None:
    path = tmp_path / "made"
    text = text.replace("{path}", str(path)).replace("{{", "{").replace("}}", "}")
    for formula in (f"y ~ {text}", f"{text} ~ x", f"y ~ x + offset({text})", f"y ~ log({text})"):
        with pytest.raises(FormulaError):
            model_frame(formula, DATA)
    assert not path.exists()


def test_a_saved_formula_runs_no_code() -> None:
    """The texts of a saved recipe are read by the same rules."""
    frame = model_frame("y ~ log(x)", DATA)
    for hostile in ("__import__('os').getcwd()", "x.__class__", "print(x)"):
        text = frame.spec.to_json().replace("log(x)", hostile)
        with pytest.raises(DataError):
            type(frame.spec).from_json(text).pieces(DATA)


def test_operators_between_percent_signs_bind_as_in_r() -> None:
    """R: 5 %/% 2 is taken first in x * 5 %/% 2, and a sign or a power before either."""
    data = {"y": [1.0, 2, 3, 4], "x": [-2, -1, 0, 1]}
    for text, expected in {
        "I(x*5 %/% 2)": [-4, -2, 0, 2],
        "I(x*5 %% 3)": [-4, -2, 0, 2],
        "I(x/4 %% 3)": [-2, -1, 0, 1],
        "I(2*x %in% c(2, 0))": [0, 0, 2, 0],
        "I(x + 1 %in% c(2, 4))": [-2, -1, 0, 1],
        "I(-x %% 3)": [2, 1, 0, 2],
        "I((x + 3) %% 2 ^ 2)": [1, 2, 3, 0],
        "I((x + 9) %% 5 %% 3)": [2, 0, 1, 0],
    }.items():
        _, columns = jg.design(f"y ~ 0 + {text}", data)
        assert columns.iloc[:, 0].tolist() == expected, text


def test_extremes_of_any_number_of_columns() -> None:
    three = [DATA["x"], DATA["z"], np.full(N, 2.0)]
    for text, extreme in (("pmin", np.min), ("pmax", np.max)):
        frame = model_frame(f"y ~ 0 + {text}(x, z, 2)", DATA)
        assert np.array_equal(np.ravel(frame.pieces[0].values), extreme(three, axis=0))
        one = model_frame(f"y ~ 0 + {text}(x)", DATA)
        assert np.array_equal(np.ravel(one.pieces[0].values), DATA["x"])


def test_a_column_called_by_a_sign_is_in_no_hint() -> None:
    for name in ("~", "+", " ", "^"):
        with pytest.raises(FormulaError) as refused:
            model_frame("y ~ x^0 + ~ +", {**DATA, name: DATA["x"]})
        assert "backticks" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exp(1000 * x)", r"; a result is too large for a number of 64 bits$"),
        ("I(x^1e6)", r"; a result is too large for a number of 64 bits$"),
        ("log(x - x)", r"[^;]*; check for zeros or negative values there$"),
        ("sqrt(-x)", r"[^;]*; check for zeros or negative values there$"),
        ("f(x)", r"[^;]*; check for zeros or negative values there$"),
        (
            "I(exp(1000 * x) + 1 / (x - x))",
            r"too large for .* bits; check for zeros or",
        ),
    ],
)
def test_what_makes_no_number_of_complete_columns(text: str, reason: str) -> None:
    context = {"f": lambda x: x * np.nan}
    with pytest.raises(FormulaError, match=f"although the columns are complete.*{reason}"):
        model_frame(f"y ~ {text}", {**DATA, "x": DATA["x"] + 1}, context=context)

"""Score every reference case and write docs/reference-results.md: python -m tests.reference."""

import warnings
from pathlib import Path

import jaxglm as jg

from .cases import CASES, load
from .compare import BARS, OTHER, bar, score
from .engine import fitted
from .exceptions import EXCEPTIONS
from .test_reference import DOORS

PAGE = Path(__file__).parents[2] / "docs" / "reference-results.md"

HEAD = """# Agreement with R and with 60-digit arithmetic

Written by `python -m tests.reference`; the tests in `tests/reference` hold these numbers.

{count} fits of real data at **default settings**, from the design matrix and from the formula. The
truth is a solution in 60-digit arithmetic where there is one, else R's value (R 4.2.2, each fit
restarted from its own answer until its coefficients stopped moving). A number below is the count
of right digits, -log10 of the relative error, of the worst element of the quantity and the worse
of the two doors; 16 is all of a double.

The bars are {coef:g} digits for coefficients, {se:g} for standard errors and {other:g} for all
else: covariances, test statistics, p values, confidence intervals, deviance, null deviance,
dispersion, Pearson statistic, logLik, AIC, BIC, theta and its standard error, response, Pearson,
deviance and working residuals, fitted values, and predictions with standard errors on both scales,
of rows of the fit and of new rows.

{exceptions}

| case | model | rows | coef | se | worst of the rest |
|---|---|---|---|---|---|
"""


def worst_of_both_doors(name: str) -> dict[str, float]:
    case = load(name)
    scores = [score(case, fitted(name, door), door) for door in DOORS]
    return {quantity: min(s[quantity] for s in scores) for quantity in scores[0]}


def exceptions_text() -> str:
    if not EXCEPTIONS:
        return "There is no exception."
    lines = ["Exceptions, each with the bar that holds instead:", ""]
    lines += [
        f"- `{name}`, {quantity}: {value:g} digits. {reason}"
        for (name, quantity), (value, reason) in EXCEPTIONS.items()
    ]
    return "\n".join(lines)


def main() -> None:
    page = HEAD.format(
        count=len(CASES),
        coef=BARS["coef"],
        se=BARS["se"],
        other=OTHER,
        exceptions=exceptions_text(),
    )
    below = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.RankWarning)
        for name in CASES:
            case, reached = load(name), worst_of_both_doors(name)
            short = {q: round(v, 1) for q, v in reached.items() if v < bar(q)}
            below += bool(short)
            coef, se = reached.pop("coef"), reached.pop("se")
            rest = min(reached, key=reached.__getitem__)
            page += (
                f"| `{name}` | {case.family}/{case.link} | {case.R['nobs']} | {coef:.1f} |"
                f" {se:.1f} | {reached[rest]:.1f} ({rest}) |\n"
            )
            print(f"{name:38s} coef {coef:4.1f}  se {se:4.1f}  {short or ''}", flush=True)
    PAGE.write_text(page)
    print(f"{below} of {len(CASES)} cases below a bar; {PAGE} written")


if __name__ == "__main__":
    main()

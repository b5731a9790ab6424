"""Judge jaxglm on every hard case and write docs/hard-cases.md: python -m tests.hardcases [id ...].

With ids, only those are judged and nothing is written.
"""

import sys
import traceback
from collections import Counter
from pathlib import Path

from . import REGISTRY, get, ids
from .engine import fit
from .exceptions import EXCEPTIONS
from .judge import Verdict, judge

PAGE = Path(__file__).parents[2] / "docs" / "hard-cases.md"

HEAD = """# Hard cases

Written by `python -m tests.hardcases`; the tests in `tests/hardcases` hold these verdicts.

{total} inputs that break, or quietly mislead, GLM software, with what a trustworthy engine does
and what jaxglm does at default settings. **{handled} of {offered} are handled, {silent} silently
wrong.**

*Say so* means an error, a warning or a note on the result that a user sees without looking for it;
a huge coefficient with a huge standard error is not a report. A *clear error* names what is wrong
in the user's terms: the column, the row, the argument. The answers were solved in 60-digit
arithmetic. Where a case cites `owner/repo#number`, that issue reports the behaviour.

| verdict | what it means | cases |
|---|---|---|
| handled | what the case asks for | {handled} |
| flagged | wrong or incomplete, but the user is told that something is off | {flagged} |
| refused | a clear error although an answer exists | {refused} |
| unclear error | an exception that does not say what is wrong with the input | {unclear} |
| silent | a wrong, arbitrary or meaningless result with no sign of it | {silent} |
| n/a | not offered | {absent} |

## Policies these cases assume

- **Rank deficiency.** As R: earlier columns are kept, later ones are reported as aliased
  (coefficient and standard error are nan, the name is in a warning), fitted values, deviance and
  degrees of freedom are those of the reduced model. `rank="raise"` makes it an error. The decision
  is taken on scaled columns and does not depend on the convergence tolerance.
- **Separation.** It must be seen in combinations of columns too, and not where the estimate is
  finite. The result names the columns that run to infinity, whose coefficients are inf or -inf;
  finite coefficients keep their values.
- **Weights.** *Prior* weights (`var_weights`) enter the variance as phi V(mu) / w: rows of weight 0
  do not count in n or df, and standard errors do not change when all weights are multiplied by a
  constant (phi estimated). *Frequency* weights (`freq_weights`) behave as repeated rows, df too.
- **Support.** The response is checked before the fit; the message gives the family, the rule and
  the first rows that break it. Fractional counts are allowed.
"""

ANSWERS = {
    "error": "clear error",
    "report": "no finite optimum: say so",
    "boundary": "optimum on the boundary: right deviance, and say so",
    "alias": "drop and report, or refuse; fitted values as without the column",
    "equal": "the answer of the companion fit",
    "equal_finite": "the fit without it, or a report",
    "predict_equal": "the same prediction",
    "predict_nan": "nan in that row, or a clear error",
    "nobs": "rows left counted, or a clear error",
    "batch": "good segments exact, bad ones flagged",
}


def answer(identifier: str) -> str:
    expect = get(identifier)["expect"]
    if expect["kind"] != "value":
        text = ANSWERS[expect["kind"]]
        return text + "; the other coefficients right" if "finite_coef" in expect else text
    text = f"right to {expect.get('digits', 6)} digits"
    if expect.get("or_report"):
        text += ", or a clear report"
    if expect.get("must_not_report"):
        text += ", not called separated"
    if expect.get("dispersion_undefined"):
        text += ", dispersion undefined"
    return text


def write_page(verdicts: dict[str, Verdict]) -> None:
    count = Counter(v.verdict for v in verdicts.values())
    page = HEAD.format(
        total=len(verdicts),
        offered=len(verdicts) - count["n/a"],
        handled=count["handled"],
        flagged=count["flagged"],
        refused=count["refused"],
        unclear=count["unclear error"],
        silent=count["silent"],
        absent=count["n/a"],
    )
    page += "\n## Cases that are not handled\n\n"
    if not EXCEPTIONS:
        page += "None.\n"
    for identifier, (verdict, reason) in EXCEPTIONS.items():
        page += f"- `{identifier}` ({verdict}): {reason}.\n"
    group = ""
    for identifier, found in verdicts.items():
        entry = REGISTRY[identifier]
        if entry["group"] != group:
            group = entry["group"]
            page += f"\n## {group[0].upper()}{group[1:]}\n\n"
            page += "| id | input | expected | verdict | reported in |\n|---|---|---|---|---|\n"
        page += (
            f"| `{identifier}` | {entry['title']} | {answer(identifier)} | {found.verdict} |"
            f" {', '.join(entry['cites'])} |\n"
        )
    PAGE.write_text(page)


def main(chosen: list[str]) -> None:
    verdicts = {}
    for identifier in chosen or ids():
        try:
            found = judge(fit, identifier)
        except Exception:
            # The judge could not read what the engine returned: show where.
            traceback.print_exc()
            found = Verdict("unclear error", "the judge failed")
        verdicts[identifier] = found
        print(f"{identifier:32s} {found.verdict:14s} {found.note[:150]}", flush=True)
    print(dict(Counter(v.verdict for v in verdicts.values())))
    if not chosen:
        write_page(verdicts)
        print(f"{PAGE} written")


if __name__ == "__main__":
    main(sys.argv[1:])

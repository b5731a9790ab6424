"""Every example in the README and in docs/ runs and prints what the page says it prints."""

import doctest
import re
from pathlib import Path

import pytest

import jaxglm as jg

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Pages of many fits; what they show has quick tests of its own.
LONG = {
    "bootstrap-and-many-responses.md",
    "coming-from-statsmodels-and-R.md",
    "comparing-models.md",
    "derivatives.md",
    "diagnostics.md",
    "effects-and-predictions.md",
    "inference.md",
    "one-model-per-segment.md",
    "plots.md",
}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
OURS = (jg.DataError, jg.FitError)
ERROR = re.compile(r"^Traceback .*\n(?:[ \t].*\n)*(\S+?)(?::|$)", flags=re.MULTILINE)
LINK = re.compile(r"\]\((?!http|mailto|#)([^)#\s]+)")


def session(page: str) -> str:
    """The fenced examples of a page, as doctest reads them; other lines empty, to keep numbers."""
    kept: list[str] = []
    for part in re.split(r"(^```pycon\n.*?^```$)", page, flags=re.MULTILINE | re.DOTALL):
        body = part.removeprefix("```pycon\n").removesuffix("```")
        kept.append("\n" + fenced_session(body) if body != part else re.sub(r".", "", part))
    return "".join(kept)


def fenced_session(block: str) -> str:
    """One fence's lines, with its empty lines of output marked as doctest wants them."""
    lines = block.splitlines()
    for i, line in enumerate(lines):
        after = next((later for later in lines[i:] if later), ">>>")
        if not line and not after.startswith(">>>"):
            lines[i] = "<BLANKLINE>"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page.name in LONG else (), id=page.name)
        for page in PAGES
    ],
)
def test_examples_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(session(text), {}, page.name, str(page), 0)
    report: list[str] = []
    # One session a page, as a reader would type it.
    failed = doctest.DocTestRunner(optionflags=OPTIONS).run(examples, out=report.append).failed
    assert failed == 0, "".join(report)


def test_an_error_in_an_example_is_one_of_ours() -> None:
    """One of another kind is a mistake of the page, written down as if it were its result."""
    shown = {page.name: re.findall(ERROR, page.read_text(encoding="utf-8")) for page in PAGES}
    assert sum(map(len, shown.values())) > 0
    foreign = {
        (page, name)
        for page, names in shown.items()
        for name in names
        if not issubclass(getattr(jg, name.removeprefix("jaxglm."), object), OURS)
    }
    assert not foreign


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []

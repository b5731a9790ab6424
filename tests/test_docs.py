"""Every example in the README and in docs/ runs and prints what the page says it prints."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
LINK = re.compile(r"\]\((?!http|mailto|#)([^)#\s]+)")


def session(text: str) -> str:
    """The fenced examples of a page, as doctest reads them; other lines blank, to keep numbers.

    In a fence an empty line belongs to the output, unless an example or the fence's end is next.
    """
    lines = text.splitlines()
    inside = False
    for i, line in enumerate(lines):
        if line.startswith("```"):
            inside = line.startswith("```pycon")
            lines[i] = ""
        elif not inside:
            lines[i] = ""
        elif not line:
            after = next(later for later in lines[i + 1 :] if later)
            lines[i] = "" if after.startswith((">>>", "```")) else "<BLANKLINE>"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []

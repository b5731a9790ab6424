"""The table of what a pass costs: its arithmetic, its place in a page, and a tiny run."""

from pathlib import Path

import pytest

from benchmarks import cost_model
from benchmarks.cost_model import MARKS, Limits, Shape, written_into

ROOT = Path(__file__).resolve().parent.parent


def test_a_row_has_the_bytes_and_the_entries_that_are_read() -> None:
    assert Shape(1, 50).width == 8 * 52
    assert Shape(1, 50, dtype="float32").width == 4 * 52
    table = Shape(1, 5, (20, 1_000))
    assert (table.width, table.parts) == (8 * 7 + 8, 7)
    assert table.words == "5 and factors of 20, 1,000"


@pytest.mark.parametrize(
    ("operations", "own", "limit", "most"),
    [(1, 0.0, "10", "memory"), (50, 0.0, "50", "products"), (50, 60.0, "50", "row functions")],
)
def test_the_limit_is_the_larger_of_two_times(
    operations: int, own: float, limit: str, most: str
) -> None:
    limits = Limits(1e9, {"float64": 1e9})
    cells = cost_model._numbers(limits, 100.0, 10, operations, 1e9, own)
    assert cells[3:] == [limit, f"{100 / float(limit):.1f}", most]


def test_the_table_is_written_between_its_marks() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    new = written_into(page, "| a |\n")
    assert "\n| a |\n".join(MARKS) in new
    assert written_into(new, "") == written_into(page, "")
    with pytest.raises(ValueError, match="no place"):
        written_into("no marks", "")


@pytest.mark.slow
def test_a_tiny_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = (Shape(64, 1), Shape(64, 3), Shape(64, 2, (3,)))
    monkeypatch.setattr(cost_model, "SHAPES", shapes)
    monkeypatch.setattr(cost_model, "SEGMENTS", ((2, 30, 2),))
    page = tmp_path / "page.md"
    page.write_text("before\n{}\nafter\n".format("\n".join(MARKS)))
    words = ["--page", str(page), "--scale", "0.99", "--repeat", "1"]
    assert cost_model.main(words) == 0
    lines = page.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after"
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][2:]
    assert [row[1] for row in cells].count("3") == 6
    assert all(len(row) == len(cost_model.HEADER) and float(row[2]) > 0 for row in cells)

"""Owns how tests of hypotheses are shown: a title, a table of written numbers, sentences below."""

import html as _html
import textwrap
from collections.abc import Sequence

import pandas as pd

_WIDTH = 80


def as_text(title: str, table: pd.DataFrame | None, notes: Sequence[str]) -> str:
    """For a terminal."""
    lines = [title] if table is None else [title, table.to_string()]
    for note in notes:
        lines += textwrap.wrap(note, _WIDTH, initial_indent="* ", subsequent_indent="  ")
    return "\n".join(lines)


def as_html(title: str, table: pd.DataFrame, notes: Sequence[str]) -> str:
    """For a notebook: a fragment without scripts or outside styles."""
    parts = [f"<p><strong>{_html.escape(title)}</strong></p>", table.to_html(border=0)]
    if notes:
        items = "".join(f"<li>{_html.escape(note)}</li>" for note in notes)
        parts.append(f"<ul>{items}</ul>")
    return "\n".join(['<div class="jaxglm-summary">', *parts, "</div>"])

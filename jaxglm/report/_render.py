"""Owns the three renderings of one neutral table: text, HTML and LaTeX."""

import dataclasses
import html as _html
import re
import textwrap
from itertools import zip_longest

# Width below which no summary is printed, so that notes have room: a standard terminal.
_WIDTH = 80
# A longer coefficient name is shortened in the middle, where names of one term are alike.
_NAME_WIDTH = 40

Pairs = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A summary without a format.

    Attributes
    ----------
    title, subtitle : str
        Headline, and the formula (may be empty).
    header : pair of tuples of (label, value)
        The left and the right column of facts.
    columns : tuple of str
        Heads of the coefficient table.
    names : tuple of str
        Row names.
    rows : tuple of tuples of str
        Cells, already written out; blanks after a number stand for decimals that it lacks.
    notes : tuple of str
        Sentences below the table.
    """

    title: str
    subtitle: str
    header: tuple[Pairs, Pairs]
    columns: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def _shorten(names: tuple[str, ...]) -> list[str]:
    half = (_NAME_WIDTH - 3) // 2
    short = [
        name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3 - half]}...{name[-half:]}"
        for name in names
    ]
    # Two names that would read the same are not shortened.
    twice = {name for name in short if short.count(name) > 1}
    return [full if name in twice else name for name, full in zip(short, names, strict=True)]


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def text(sheet: Sheet) -> str:
    """Fixed-width text."""
    names = _shorten(sheet.names)
    name_width = max((len(name) for name in names), default=0)
    cells = [sheet.columns, *sheet.rows]
    widths = [max(len(row[j]) for row in cells) + 2 for j in range(len(sheet.columns))]
    # Room that is left goes to the columns evenly, so that short tables fill the page.
    spare = max(0, _WIDTH - name_width - sum(widths)) // len(widths)
    widths = [w + min(spare, 4) for w in widths]
    table = [
        (name.ljust(name_width) + "".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))
        for name, row in zip(["", *names], cells, strict=True)
    ]
    facts = _facts(sheet.header)
    width = max([_WIDTH, *(len(line) for line in table), *(len(line) for line in facts)])
    if facts and len(facts[0]) < width:
        facts = _facts(sheet.header, width)
    lines = [sheet.title.center(width).rstrip()]
    lines += [line.center(width).rstrip() for line in _wrapped(sheet.subtitle, width)]
    lines += ["=" * width, *facts, "=" * width, table[0], "-" * width, *table[1:], "=" * width]
    for note in sheet.notes:
        lines += _wrapped(note, width, "* ", "  ")
    return "\n".join(line.rstrip() for line in lines)


def _facts(header: tuple[Pairs, Pairs], width: int = 0) -> list[str]:
    """The two columns of facts; the right one is pushed to the edge when a width is given."""
    sides = []
    for side in header:
        label = max((len(k) for k, _ in side), default=0) + 3
        value = max((len(v) for _, v in side), default=0)
        sides.append([f"{k + ':':<{label}}{v:>{value}}" for k, v in side])
    inner = [max((len(line) for line in side), default=0) for side in sides]
    gap = max(4, width - sum(inner))
    return [
        f"{left:<{inner[0]}}{' ' * gap}{right}" for left, right in zip_longest(*sides, fillvalue="")
    ]


# Blanks as wide as what they stand for.
_BLANKS = str.maketrans({"0": "\N{FIGURE SPACE}", ".": "\N{PUNCTUATION SPACE}"})


def _parts(cell: str) -> tuple[str, str]:
    """What a cell says, and the decimals that it lacks below its column's point, as zeros."""
    said = cell.rstrip()
    lacking = "0" * (len(cell) - len(said))
    return said, lacking if "." in said else lacking.replace("0", ".", 1)


def html(sheet: Sheet) -> str:
    """An HTML fragment: two tables and a list; right-aligned tabular figures."""
    esc = _html.escape
    figure = ' style="text-align:right;font-variant-numeric:tabular-nums"'
    label = ' style="text-align:left"'
    out = ['<div class="jaxglm-summary">', f"<p><strong>{esc(sheet.title)}</strong>"]
    out.append(f"<br><code>{esc(sheet.subtitle)}</code></p>" if sheet.subtitle else "</p>")
    out.append("<table>")
    for pairs in zip_longest(*sheet.header, fillvalue=("", "")):
        cells = "".join(f"<th{label}>{esc(k)}</th><td{figure}>{esc(v)}</td>" for k, v in pairs)
        out.append(f"<tr>{cells}</tr>")
    heads = "".join(f"<th{figure}>{esc(c)}</th>" for c in sheet.columns)
    out += ["</table>", "<table>", f"<thead><tr><th></th>{heads}</tr></thead>", "<tbody>"]
    for name, row in zip(sheet.names, sheet.rows, strict=True):
        written = (esc(said) + lacking.translate(_BLANKS) for said, lacking in map(_parts, row))
        cells = "".join(f"<td{figure}>{cell}</td>" for cell in written)
        out.append(f"<tr><th{label}>{esc(name)}</th>{cells}</tr>")
    out += ["</tbody>", "</table>"]
    if sheet.notes:
        items = "".join(f"<li>{esc(note)}</li>" for note in sheet.notes)
        out.append(f"<ul>{items}</ul>")
    return "\n".join([*out, "</div>"])


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "[": "{[}",
        "]": "{]}",
        **{mark: "\\" + mark for mark in "&%$#_{}"},
    }
)


def _tex(cell: str) -> str:
    said, lacking = _parts(cell)
    escaped = said.translate(_LATEX)
    # A hyphen in text mode is not a minus sign.
    written = f"${escaped}$" if re.fullmatch(r"-(\d.*|inf)", said) else escaped
    return written + (rf"\phantom{{{lacking}}}" if lacking else "")


def latex(sheet: Sheet) -> str:
    """Two `tabular` environments and the notes, with no package needed."""
    end = r" \\"
    out = [r"\begin{center}", rf"\textbf{{{_tex(sheet.title)}}}" + end]
    out += [rf"\texttt{{{_tex(sheet.subtitle)}}}" + end] if sheet.subtitle else []
    out += [r"\begin{tabular}{lrlr}", r"\hline"]
    for pairs in zip_longest(*sheet.header, fillvalue=("", "")):
        out.append(" & ".join(_tex(part) for pair in pairs for part in pair) + end)
    out += [r"\hline", r"\end{tabular}", "", rf"\begin{{tabular}}{{l{'r' * len(sheet.columns)}}}"]
    out += [r"\hline", " & ".join(["", *map(_tex, sheet.columns)]) + end, r"\hline"]
    for name, row in zip(sheet.names, sheet.rows, strict=True):
        out.append(" & ".join([_tex(name), *map(_tex, row)]) + end)
    out += [r"\hline", r"\end{tabular}", r"\end{center}"]
    if sheet.notes:
        items = [rf"\item {_tex(note)}" for note in sheet.notes]
        out += [r"\begin{itemize}", *items, r"\end{itemize}"]
    return "\n".join(out)

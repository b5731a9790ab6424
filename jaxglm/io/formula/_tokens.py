"""Owns the text of a formula as tokens: what they are, how much text is read, and its two sides."""

import ast
import math
import re
from dataclasses import dataclass

from jaxglm._status import FormulaError

# More than any table has columns for; a text within them is read in a few seconds.
MOST_CHARACTERS = 1_000_000
MOST_NESTED = 100
_MOST_SHOWN = 200

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<column>\bQ\s*\(\s*(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*\))
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<quoted>`[^`]+`)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?L?)
    |(?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)
    |(?P<op>%in%|%%|%/%|\*\*|//|<=|>=|==|!=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
# Characters that word processors put in place of those of a formula.
_LOOKALIKES = {
    **dict.fromkeys("\u2212\u2013\u2014", "-"),
    **dict.fromkeys("\u223c\u02dc\uff5e", "~"),
    **dict.fromkeys("\u00d7\u2217\u22c5\u00b7", "*"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys("\u2018\u2019\u00b4", "'"),
}


@dataclass(frozen=True)
class Token:
    """One lexical element of a formula and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def quoted(text: str) -> str:
    """A text of the user's for a message, its beginning if it is long."""
    return repr(text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "...")


def tokens(text: str) -> list[Token]:
    """Split a formula into tokens, white space left out.

    Q("name"), the spelling of patsy and statsmodels, is a name in backticks.

    Raises
    ------
    FormulaError
        If a quote is left open, a number is too large, or there is too much text or nesting.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(
            f"the formula {quoted(text)} has {len(text)} characters, more than the "
            f"{MOST_CHARACTERS} that are read; leave terms out, or give the columns as an array"
        )
    found = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind, own = str(match.lastgroup), match.group()
        if kind == "space":
            continue
        if kind == "op":
            depth += (own in "([{") - (own in ")]}")
            _check_character(text, own, match.start())
            if depth > MOST_NESTED:
                raise FormulaError(
                    f"the formula {quoted(text)} has more than {MOST_NESTED} parentheses "
                    "inside each other; write it with fewer"
                )
        elif kind == "number" and not math.isfinite(float(own.rstrip("L"))):
            raise FormulaError(
                f"the number {quoted(own)} in the formula is larger than a number can be"
            )
        elif kind == "column":
            kind, own = "quoted", _backticks(own)
        found.append(Token(kind, own, match.start(), match.end()))
    return found


def split_sides(text: str) -> tuple[str | None, str]:
    """The left side (None for a one-sided formula) and the right side of a formula."""
    depth, tildes = 0, []
    found = tokens(text)
    for token in found:
        depth += (token.text in "([") - (token.text in ")]") if token.kind == "op" else 0
        if token.text == "~" and token.kind == "op" and depth == 0:
            tildes.append(token)
    if len(tildes) != 1:
        instead = any(token.kind == "op" and token.text in ("=", "==") for token in found)
        inside = any(token.kind == "op" and token.text == "~" for token in found)
        hint = "; '~' stands in place of '='" if instead and not tildes else ""
        hint = hint or ("; check the parentheses around it" if inside and not tildes else "")
        raise FormulaError(
            f"formula {quoted(text)} has {len(tildes)} '~'; exactly one is needed, as in "
            f"'y ~ x + z'{hint}"
        )
    left, right = text[: tildes[0].start].strip(), text[tildes[0].end :].strip()
    if not right:
        raise FormulaError(
            f"formula {quoted(text)} has nothing on its right side; 'y ~ 1' is the least"
        )
    return left or None, right


def closing(found: list[Token], position: int, text: str) -> int:
    """The position of the bracket that closes the one at `position`."""
    depth = 0
    for i in range(position, len(found)):
        if found[i].kind == "op":
            depth += (found[i].text in "([") - (found[i].text in ")]")
            if depth == 0:
                return i
    raise FormulaError(f"formula part {quoted(text)}: a parenthesis is left open")


def _check_character(text: str, own: str, position: int) -> None:
    """Refuse what is no operator: an open quote, or a character that only looks like one."""
    if own == "`" and text[position + 1 : position + 2] == "`":
        raise FormulaError(f"formula {quoted(text)}: there is no name between the backticks")
    if own in ("'", '"', "`"):
        raise FormulaError(f"formula {quoted(text)}: the quote at position {position} is left open")
    if own in _LOOKALIKES:
        raise FormulaError(
            f"formula {quoted(text)}: the character {own!r} (U+{ord(own):04X}) at position "
            f"{position} only looks like {_LOOKALIKES[own]!r}; type that instead"
        )


def _backticks(call: str) -> str:
    """The name in Q("name"), in backticks."""
    name = ast.literal_eval(call[call.index("(") + 1 : -1].strip())
    if not name or "`" in name:
        raise FormulaError(f"{call} in the formula is no name of a column that can be read")
    return f"`{name}`"

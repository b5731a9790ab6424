"""Owns the surface of a formula: its tokens, and R's spelling of an expression in Python's grammar.

Nothing here is ever executed: expressions become syntax trees.
"""

import ast
import itertools
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jaxglm._status import FormulaError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<quoted>`[^`]+`)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?L?)
    |(?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)
    |(?P<op>%in%|%%|%/%|\*\*|//|<=|>=|==|!=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = {
    "^": "**",
    "&": " and ",
    "&&": " and ",
    "|": " or ",
    "||": " or ",
    "!": " not ",
    "%in%": " in ",
    "%%": "%",
    "%/%": "//",
}
_CONSTANTS = {"TRUE": "True", "FALSE": "False", "NULL": "None"}
_WORDS_KEPT = {"True", "False", "None", "and", "or", "not", "in"}


@dataclass(frozen=True)
class Token:
    """One lexical element of a formula and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Split a formula into tokens, white space left out.

    Raises
    ------
    FormulaError
        If a quote is left open.
    """
    found = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if match.group() in ("'", '"', "`"):
            raise FormulaError(f"formula {text!r}: the quote at position {match.start()} is open")
        if kind != "space":
            found.append(Token(kind, match.group(), match.start(), match.end()))
    return found


def split_sides(text: str) -> tuple[str | None, str]:
    """The left side (None for a one-sided formula) and the right side of a formula."""
    depth, tildes = 0, []
    for token in tokens(text):
        depth += (token.text in "([") - (token.text in ")]") if token.kind == "op" else 0
        if token.text == "~" and token.kind == "op" and depth == 0:
            tildes.append(token)
    if len(tildes) != 1:
        raise FormulaError(
            f"formula {text!r} has {len(tildes)} '~'; exactly one is needed, as in 'y ~ x + z'"
        )
    left, right = text[: tildes[0].start].strip(), text[tildes[0].end :].strip()
    if not right:
        raise FormulaError(f"formula {text!r} has nothing on its right side; 'y ~ 1' is the least")
    return left or None, right


def closing(found: list[Token], position: int, text: str) -> int:
    """The position of the bracket that closes the one at `position`."""
    depth = 0
    for i in range(position, len(found)):
        if found[i].kind == "op":
            depth += (found[i].text in "([") - (found[i].text in ")]")
            if depth == 0:
                return i
    raise FormulaError(f"formula part {text!r}: a parenthesis is left open")


@dataclass(frozen=True)
class Expression:
    """One expression of a formula.

    Attributes
    ----------
    text : str
        Normal form: two expressions are the same if their texts are.
    label : str
        How names of columns show it: the text, a lone name without its backticks.
    tree : ast.expr
    aliases : dict
        Stand-ins in the tree, and the names (with dots, spaces, ...) they stand for.
    """

    text: str
    label: str
    tree: ast.expr = field(compare=False, repr=False)
    aliases: dict[str, str] = field(compare=False, repr=False)

    @property
    def column(self) -> str | None:
        """The name of the column if the expression is nothing but a name."""
        return self.name(self.tree.id) if isinstance(self.tree, ast.Name) else None

    def name(self, identifier: str | None) -> str:
        """The name that an identifier of the tree stands for."""
        return self.aliases.get(str(identifier), str(identifier))

    @property
    def call(self) -> str | None:
        """The name of the function if the expression is a call."""
        if isinstance(self.tree, ast.Call) and isinstance(self.tree.func, ast.Name):
            return self.name(self.tree.func.id)
        return None

    def columns(self) -> Iterator[str]:
        """The names used as values, in order of appearance: columns, and constants of a context."""
        functions = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and id(node) not in functions:
                yield self.name(node.id)


def parse_expression(text: str) -> Expression:
    """Read R's or Python's spelling of an expression.

    `^` is a power, `&`, `|` and `!` are logical, `%in%` is membership, names may have dots or
    stand in backticks.

    Raises
    ------
    FormulaError
        If it is not an expression.

    Examples
    --------
    >>> parse_expression("I( GNP.deflator^2 )").text
    'I(GNP.deflator^2)'
    """
    aliases: dict[str, str] = {}
    # What stands in for a name must be no name of the user's, nor part of one.
    stand_ins = (f"_name{i}_" for i in itertools.count() if f"_name{i}_" not in text)
    quoted: set[str] = set()
    parts = []
    for token in tokens(text):
        part = token.text
        if token.kind == "op":
            part = _OPERATORS.get(part, part)
        elif token.kind == "number":
            part = part.rstrip("L")
        elif part in _CONSTANTS and token.kind == "name":
            part = _CONSTANTS[part]
        elif token.kind == "quoted" or (token.kind == "name" and not _is_identifier(part)):
            name = part.strip("`")
            if token.kind == "quoted" and not _reads_back(name):
                quoted.add(name)
            if token.kind == "name" or name in quoted or not _is_identifier(name):
                known = (alias for alias, own in aliases.items() if own == name)
                part = next(known, None) or next(stand_ins)
                aliases[part] = name
            else:
                part = name
        parts.append(part + " ")
    try:
        tree = ast.parse("".join(parts).strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"cannot read {text.strip()!r} in the formula: {error.msg}") from None
    shown = ast.unparse(tree)
    if "^" in text:
        shown = shown.replace(" ** ", "^").replace("**", "^")
    for alias, name in aliases.items():
        shown = shown.replace(alias, f"`{name}`" if name in quoted else name)
    label = aliases.get(tree.id, tree.id) if isinstance(tree, ast.Name) else shown
    return Expression(shown, label, tree, aliases)


def _is_identifier(name: str) -> bool:
    return name.isidentifier() and (name in _WORDS_KEPT or not keyword.iskeyword(name))


def _reads_back(name: str) -> bool:
    """Whether a name without its backticks is read as that one name."""
    found = tokens(name) if not set(name) & set("'\"`") else []
    return (
        len(found) == 1
        and found[0].kind == "name"
        and found[0].text == name
        and name not in _CONSTANTS
        and name not in _WORDS_KEPT
        and name != "."
    )

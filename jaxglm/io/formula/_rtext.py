"""Owns R's spelling of an expression in Python's grammar.

Nothing here is ever executed: expressions become syntax trees.
"""

import ast
import itertools
import keyword
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from jaxglm._status import FormulaError
from jaxglm.io.formula._misread import side_by_side
from jaxglm.io.formula._tokens import Token, quoted, tokens

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
# A sum of so many columns; what walks a tree stays far from Python's own limit.
_MOST_DEEP = 200
_CONSTANTS = {"TRUE": "True", "FALSE": "False", "NULL": "None"}
_WORDS_KEPT = {"True", "False", "None", "and", "or", "not", "in"}


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

    @property
    def argument(self) -> "Expression | None":
        """What the call is of, if that is one expression."""
        if isinstance(self.tree, ast.Call) and len(self.tree.args) == 1 and not self.tree.keywords:
            return self.part(self.tree.args[0])
        return None

    def part(self, node: ast.expr) -> "Expression":
        """An expression inside this one, in normal form with `**` for powers."""
        source = ast.unparse(node)
        for alias, name in self.aliases.items():
            source = source.replace(alias, f"`{name}`")
        text = parse_expression(source).text
        return Expression(text, text, node, self.aliases)

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
    found = tokens(text)
    for token in found:
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
    parts = _bound_tightly(found, parts)
    tree = _tree("".join(parts).strip(), text.strip(), found)
    shown = ast.unparse(tree)
    if "^" in text:
        shown = with_carets(shown)
    for alias, name in aliases.items():
        shown = shown.replace(alias, f"`{name}`" if name in quoted else name)
    label = aliases.get(tree.id, tree.id) if isinstance(tree, ast.Name) else shown
    return Expression(shown, label, tree, aliases)


def _bound_tightly(found: list[Token], parts: list[str]) -> list[str]:
    """The parts with parentheses where R's %any% binds tighter than * and /, which Python's do not.

    In R `a * b %% c` is `a * (b %% c)`; powers and signs bind tighter still.
    """
    if not any(token.text.startswith("%") for token in found):
        return parts
    out: list[str] = []
    # For each parenthesis that is open: where the operand at hand begins, and whether it is closed.
    levels = [[0, 0]]
    operand = False  # whether what comes before can be one, so that a sign is no sign of its own
    for token, part in zip(found, parts, strict=True):
        start, is_open = levels[-1]
        within = token.kind != "op" or token.text in ("^", "**")
        if token.text in ("(", "["):
            out.append(part)
            levels.append([len(out), 0])
        elif token.text in (")", "]") and len(levels) > 1:
            out.extend([") "] * is_open + [part])
            levels.pop()
        elif within or (token.text in ("+", "-") and not operand):
            out.append(part)
        elif token.text.startswith("%"):
            out[start:] = ["( ", *out[start:], *[") "] * is_open, part]
            levels[-1][1] = 1
        else:
            out.extend([") "] * is_open + [part])
            levels[-1] = [len(out), 0]
        operand = token.kind != "op" or token.text in (")", "]")
    return out + [") "] * levels[-1][1]


def with_carets(python: str) -> str:
    """An expression of Python with R's sign for powers."""
    return python.replace(" ** ", "^").replace("**", "^")


def _tree(python: str, text: str, found: list[Token]) -> ast.expr:
    """The syntax tree of an expression, of a depth that can be walked."""
    reason = f"has parts more than {_MOST_DEEP} deep inside each other; write it in parts"
    try:
        tree = ast.parse(python, mode="eval").body
        if _is_shallow(tree):
            return tree
    except (RecursionError, MemoryError):
        pass
    except (SyntaxError, ValueError):
        if beside := side_by_side(text, found):
            raise beside from None
        reason = (
            "cannot be read; an expression is made of columns, numbers, text in quotes, + - * / ^, "
            "comparisons, and calls such as log(x)"
        )
    raise FormulaError(f"{quoted(text)} in the formula {reason}")


def _is_shallow(tree: ast.expr) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(_MOST_DEEP):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return True
    return False


def _is_identifier(name: str) -> bool:
    # Python takes some letters for others, such as the micro sign for a Greek letter.
    if name != unicodedata.normalize("NFKC", name):
        return False
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

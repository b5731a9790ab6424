"""Owns the words for text that cannot be read as a formula, in terms of what the user wrote."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from jaxglm._status import FormulaError
from jaxglm.io.formula._tokens import Token, quoted, tokens

_ENDS = ("+", "-", "(", ")")
_NEEDS_TERMS = ("+", "-", "*", "/", ":", "^", "**", "%in%", ")")
_VALUES = ("name", "quoted", "number", "string")
_OPERATORS_IN_WORDS = ("and", "or", "not", "in")
_CODE = ("lambda", "if", "else", "for", "is", "await", "yield", "import", "del", "return")
_NOT_ALGEBRA = {
    "=": "'~' stands between the sides, and comparisons in I(...), as in I(x == 3)",
    "|": "a random effect is (1 | g), with no slope in it; conditions stand in I(...)",
    "$": "name the column alone: x, not table$x",
    ",": "terms are joined by '+'",
    ".": "attributes have no meaning in a formula",
    "[": "elements of a column have no meaning in a formula",
    "{": "group terms with parentheses",
}


def unexpected(text: str, found: Sequence[Token], at: int) -> FormulaError:
    """The error for the token at a position, the end of the text included, of a right side."""
    before = found[at - 1] if at else None
    if at >= len(found):
        return FormulaError(f"a term is missing at the end of {quoted(text)}")
    token = found[at]
    if beside := side_by_side(text, found[max(at - 1, 0) : at + 1]):
        return beside
    if token.text == ")" and (before is None or before.text not in (*_NEEDS_TERMS, "(")):
        return FormulaError(f"there is a ')' without a '(' before it in {quoted(text)}")
    if token.text in _NEEDS_TERMS:
        where = f"between {before.text!r} and {token.text!r}" if before else "at the start"
        return FormulaError(f"a term is missing {where} in {quoted(text)}")
    reason = _NOT_ALGEBRA.get(token.text, "put arithmetic and comparisons into I(...)")
    if token.kind == "string":
        reason = f"a column is named without quotes, or in backticks: `{token.text[1:-1]}`"
    return FormulaError(
        f"{token.text!r} in the right side {quoted(text)} is not formula algebra; {reason}"
    )


def misplaced_number(text: str, found: Sequence[Token], at: int) -> FormulaError:
    """The error for a number that is not the intercept."""
    if beside := side_by_side(text, found[max(at - 1, 0) : at + 1]):
        return beside
    start, end = at, at + 1
    while start and found[start - 1].text not in _ENDS:
        start -= 1
    while end < len(found) and found[end].text not in _ENDS:
        end += 1
    if beside := side_by_side(text, found[start:end]):
        return beside
    written = text[found[start].start : found[end - 1].end]
    operators = {token.text for token in found[start:end] if token.kind == "op"}
    calls = end < len(found) and found[end].text == "("
    is_arithmetic = operators and operators <= {"*", "/", "^", "**"} and not calls
    example = ""
    if is_arithmetic and found[start].kind in _VALUES and found[end - 1].kind in _VALUES:
        example = f", as in I({written})"
    return FormulaError(
        f"the number {found[at].text} in {quoted(text)} is not formula algebra; only 1 and 0 have "
        "a meaning there (the intercept), and they can only be added or taken away; put arithmetic "
        f"into I(...){example}"
    )


def side_by_side(text: str, found: Sequence[Token]) -> FormulaError | None:
    """The error for two names or numbers with nothing between them, if there are any."""
    for one, other in pairwise(found):
        words = [token.text for token in (one, other) if token.kind == "name"]
        if any(word in _OPERATORS_IN_WORDS for word in words):
            continue
        code = next((word for word in words if word in _CODE), None)
        if code and other.kind in _VALUES:
            return FormulaError(
                f"{code!r} in {quoted(text)} is Python code, which a formula does not run; make "
                "the column first, or give a function as context={name: function}"
            )
        after = one.kind in _VALUES or one.text == ")"
        if after and (other.kind in _VALUES or (other.text == "(" and one.kind != "name")):
            return FormulaError(
                f"there is nothing between {one.text!r} and {other.text!r} in {quoted(text)}; put "
                "an operator there, such as '+'"
            )
    return None


def backtick_hint(text: str, columns: Iterable[str]) -> str:
    """What to add to an error where a column with an odd name stands in the text as it is."""
    bare = "".join(part for i, part in enumerate(text.split("`")) if i % 2 == 0)
    # A column that is called by nothing but signs is in many a text.
    named = [name for name in columns if any(letter.isalnum() for letter in name)]
    odd = [name for name in named if name in bare and not _is_one_name(name)]
    if not odd:
        return ""
    return f"; the column {max(odd, key=len)!r} must stand in backticks: `{max(odd, key=len)}`"


def _is_one_name(name: str) -> bool:
    if set(name) & set("'\"`"):
        return False
    try:
        found = tokens(name)
    except FormulaError:
        return False
    return len(found) == 1 and found[0].kind == "name"

"""Owns the algebra of a formula: its terms, and which factors of a term lose a level.

Terms come from formulaic's parser, the coding follows R.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jaxglm._status import FormulaError
from jaxglm.io.formula._rtext import (
    Expression,
    Token,
    closing,
    parse_expression,
    split_sides,
    tokens,
)

_ALGEBRA = {"+", "-", "*", "/", ":", "^", "**", "(", ")", "%in%"}


@dataclass(frozen=True)
class Formula:
    """A formula taken apart.

    Attributes
    ----------
    text : str
    response : Expression or None
    components : tuple of Expression
        What is multiplied in the terms, in order of first appearance.
    terms : tuple of tuple of int
        Each term as positions in `components`, lower orders first; () is the intercept.
    offsets : tuple of Expression
        The offset(...) calls.
    notes : tuple of str
        Plain-language remarks on what the formula does not mean.
    """

    text: str
    response: Expression | None
    components: tuple[Expression, ...]
    terms: tuple[tuple[int, ...], ...]
    offsets: tuple[Expression, ...]
    notes: tuple[str, ...]


def parse_formula(text: str, columns: Sequence[str]) -> Formula:
    """Take a formula apart; `columns` are what `.` stands for, those of the response left out.

    Raises
    ------
    FormulaError
        If the formula is malformed, or means something that a GLM has no place for.
    """
    if not isinstance(text, str):
        raise FormulaError(f"the formula is a {type(text).__name__}; it must be a string")
    left, right = split_sides(text)
    response = parse_expression(left) if left else None
    taken = set(response.columns()) if response else set()
    skeleton = _Skeleton(right, [name for name in columns if name not in taken])
    parsed = _parse(skeleton.text, text)
    offsets, terms = [], []
    for term in parsed:
        if all(skeleton.atoms[i].call != "offset" for i in term):
            terms.append(term)
        elif len(term) == 1:
            offsets.append(skeleton.atoms[term[0]])
        else:
            raise FormulaError(f"formula {text!r}: offset(...) cannot be part of an interaction")
    used = sorted({i for term in terms for i in term})
    place = {atom: i for i, atom in enumerate(used)}
    ordered = sorted((tuple(place[i] for i in term) for term in terms), key=len)
    return Formula(
        text=text.strip(),
        response=response,
        components=tuple(skeleton.atoms[i] for i in used),
        terms=tuple(([()] if skeleton.intercept else []) + ordered),
        offsets=tuple(offsets),
        notes=tuple(skeleton.notes),
    )


def reduced_codings(
    terms: Sequence[tuple[int, ...]], factors: Iterable[int]
) -> list[tuple[bool, ...]]:
    """Which factors lose their reference level in each term; False for numeric components.

    R's rule (Chambers & Hastie 1992, section 2.4.1): a factor is coded by contrasts in a term if
    the term without it, its margin, is in the model already, by itself or inside an earlier term.
    Inside means: the same numeric components, and all its factors. R's own test ignores the
    first half, and so loses columns in formulas such as ``y ~ x:z + x:g``.
    """
    labelled = set(factors)
    earlier: list[tuple[frozenset[int], frozenset[int]]] = []
    codings = []
    for term in terms:
        numbers = frozenset(term) - labelled
        labels = frozenset(term) & labelled
        codings.append(
            tuple(
                component in labelled
                and any(own == numbers and labels - {component} <= other for own, other in earlier)
                for component in term
            )
        )
        earlier.append((numbers, labels))
    return codings


def _parse(skeleton: str, text: str) -> list[tuple[int, ...]]:
    """The terms of a skeleton as sorted positions of atoms, without the intercept."""
    from formulaic.errors import FormulaSyntaxError
    from formulaic.parser import DefaultFormulaParser

    try:
        found = list(DefaultFormulaParser(include_intercept=False).get_terms(skeleton))
    except FormulaSyntaxError as error:
        reason = str(error).splitlines()[0]
        raise FormulaError(f"cannot read the formula {text!r}: {reason}") from None
    positions = [
        tuple(sorted(int(factor.expr[1:]) for factor in term.factors if factor.expr != "1"))
        for term in found
    ]
    return [term for term in dict.fromkeys(positions) if term]


class _Skeleton:
    """A right side with every name and call replaced by a plain identifier v0, v1, ...

    The parser of the algebra then never sees dots, backticks, quotes or R's operators.
    """

    def __init__(self, right: str, dot: list[str]):
        self.atoms: list[Expression] = []
        self.notes: list[str] = []
        self.intercept = True
        self._right = right
        self._found = tokens(right)
        self.text = self._build(dot)

    def _build(self, dot: list[str]) -> str:
        parts: list[str] = []
        depth = position = 0
        while position < len(self._found):
            token = self._found[position]
            end = position
            before = self._found[position - 1].text if position else "+"
            if token.kind in ("name", "quoted"):
                end = self._end_of_atom(position)
                parts.append(self._atom_or_dot(position, end, dot))
                self._remark_power(position, end)
            elif token.kind == "number":
                parts.append(self._number(token, before, depth))
            elif token.kind == "op" and token.text in _ALGEBRA:
                depth += (token.text == "(") - (token.text == ")")
                parts.append(":" if token.text == "%in%" else token.text)
            else:
                raise FormulaError(
                    f"{token.text!r} in the right side {self._right!r} is not formula algebra; "
                    f"put arithmetic and comparisons into I(...)"
                )
            position = end + 1
        return " ".join(parts)

    def _end_of_atom(self, position: int) -> int:
        follows = self._found[position + 1 : position + 2]
        if self._found[position].kind == "name" and follows and follows[0].text == "(":
            return closing(self._found, position + 1, self._right)
        return position

    def _atom_or_dot(self, position: int, end: int, dot: list[str]) -> str:
        if self._found[position].text == "." and end == position:
            names = [f"`{name}`" for name in dot]
            return "( " + " + ".join(self._atom(name) for name in names or ["1"]) + " )"
        return self._atom(self._right[self._found[position].start : self._found[end].end])

    def _atom(self, text: str) -> str:
        if text == "1":
            return text
        expression = parse_expression(text)
        if expression not in self.atoms:
            self.atoms.append(expression)
        return f"v{self.atoms.index(expression)}"

    def _number(self, token: Token, before: str, depth: int) -> str:
        if before in ("^", "**"):
            if not token.text.isdigit() or int(token.text) < 1:
                raise FormulaError(
                    f"the power {token.text} in {self._right!r} must be a whole number"
                )
            return token.text
        if token.text not in ("0", "1") or before not in ("+", "-", "("):
            raise FormulaError(
                f"the number {token.text} in {self._right!r} is not formula algebra; only 1 and 0 "
                "have a meaning there (the intercept), put arithmetic into I(...)"
            )
        removes = (token.text == "0") != (before == "-")
        if removes and depth:
            raise FormulaError(
                f"{self._right!r}: remove the intercept outside of the parentheses, as '- 1'"
            )
        self.intercept = not removes
        return token.text

    def _remark_power(self, position: int, end: int) -> None:
        follows = [token.text for token in self._found[end + 1 : end + 3]]
        if follows and follows[0] in ("^", "**"):
            text = self._right[self._found[position].start : self._found[end].end]
            power = "".join(follows)
            self.notes.append(
                f"{text}{power} in a formula is {text} itself (a power of terms, not of numbers); "
                f"write I({text}{power}) for the power"
            )

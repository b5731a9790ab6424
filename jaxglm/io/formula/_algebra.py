"""Owns the algebra of a formula's right side: what +, -, :, *, /, %in% and ^ make of its terms.

The rules are those of R's terms.formula. Nothing of a term is evaluated here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jaxglm._status import FormulaError
from jaxglm.io.formula._misread import misplaced_number, unexpected
from jaxglm.io.formula._rtext import Expression, parse_expression, with_carets
from jaxglm.io.formula._tokens import closing, quoted, tokens

# A term is the set of what is multiplied in it, as positions among the atoms; the empty set is the
# intercept. Terms are kept as the keys of a dict: a set that remembers its order.
Term = frozenset[int]
Terms = dict[Term, None]
_INTERCEPT: Term = frozenset()

# So many terms no fit could use; the products on the way to them take a few seconds at most.
MOST_TERMS = 50_000
_MOST_PRODUCTS = 5_000_000

_POWERS = ("^", "**")
_PRODUCTS = {"*", "/", ":", "%in%", *_POWERS}


class Power(NamedTuple):
    """What is said where a term meets only itself, which in arithmetic would be a power of it."""

    words: str
    if_number: str


@dataclass
class RightSide:
    """The terms of a right side.

    Attributes
    ----------
    atoms : list of Expression
        Names and calls, in order of first appearance.
    terms : dict of frozenset of int
        In order of appearance, without the intercept.
    intercept : bool
    removed : dict of frozenset of int to str
        Terms that were to be taken out and are not there, and the text that says so first.
    notes : dict of str
        Remarks in order, each once.
    powers : dict of int to Power
        By atom, the first product of it with itself.
    """

    atoms: list[Expression] = field(default_factory=list)
    terms: Terms = field(default_factory=dict)
    intercept: bool = True
    removed: dict[Term, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    powers: dict[int, Power] = field(default_factory=dict)


def read_terms(right: str, dot: Iterable[str]) -> RightSide:
    """Take a right side apart; `dot` are the columns that `.` stands for.

    Raises
    ------
    FormulaError
        If it is malformed, has a number where only terms have a meaning, or too many terms.
    """
    return _Reader(right, dot).read()


class _Reader:
    """A walk over the tokens, a method for each precedence of R's operators, the loosest first."""

    def __init__(self, right: str, dot: Iterable[str]):
        self.text = right
        self.found = tokens(right)
        self.dot = list(dot)
        self.at = 0
        self.depth = 0
        self.products = 0
        self.side = RightSide()
        self.places: dict[str, int] = {}
        self.read_before: dict[str, int] = {}

    def read(self) -> RightSide:
        self.side.terms = self.sum()
        if self.at < len(self.found):
            raise unexpected(self.text, self.found, self.at)
        return self.side

    def peek(self) -> str:
        """The operator that comes next, "" for anything else."""
        token = self.found[self.at] if self.at < len(self.found) else None
        return token.text if token is not None and token.kind == "op" else ""

    def sum(self) -> Terms:
        terms: Terms = {}
        first = True
        while first or self.peek() in ("+", "-"):
            start = self.at
            minus = self.sign(first)
            if self.at < len(self.found) and self.found[self.at].kind == "number":
                adds = self.number() != minus
                if self.depth == 0:
                    self.side.intercept = adds
                elif adds:
                    terms[_INTERCEPT] = None
                else:
                    raise FormulaError(
                        f"{quoted(self.text)}: remove the intercept outside of the parentheses, "
                        "as '- 1'"
                    )
            elif not minus:
                self.add(terms, self.product())
            elif first or self.at - start > 1:
                self.product()
                raise FormulaError(
                    f"{quoted(self.span(start, self.at))} in {quoted(self.text)} takes a term "
                    "away from nothing; the negative of a column x is I(-x), and '- x' stands "
                    "behind the terms that it is taken out of"
                )
            else:
                self.take_out(terms, self.product(), start)
            if self.depth == 0 and _INTERCEPT in terms:
                del terms[_INTERCEPT]
                self.side.intercept = True
            first = False
        return terms

    def sign(self, first: bool) -> bool:
        """Whether a summand is taken away; a number may have a sign of its own, as in '+ -1'."""
        minus = False
        for _ in range(1 if first else 2):
            if self.peek() in ("+", "-"):
                minus ^= self.peek() == "-"
                self.at += 1
        return minus

    def add(self, terms: Terms, more: Terms) -> None:
        for term in more.keys() & terms.keys():
            if len(term) == 1 and (atom := self.side.atoms[min(term)]).call == "offset":
                self.side.notes[
                    f"{atom.text} stands in the formula twice and counts once, as in R; write "
                    "offset(2 * ...) for twice its amount"
                ] = None
        terms |= more
        self.check(len(terms))

    def take_out(self, terms: Terms, away: Terms, start: int) -> None:
        if self.depth == 0 and _INTERCEPT in away:
            self.side.intercept = False
        for term in away:
            if term in terms:
                del terms[term]
            elif term:
                self.side.removed.setdefault(term, self.span(start, self.at))

    def number(self) -> bool:
        """Whether a number in a sum stands for the intercept (1) or for none (0)."""
        token = self.found[self.at]
        self.at += 1
        if token.text.rstrip("L") not in ("0", "1") or self.peek() in _PRODUCTS:
            raise misplaced_number(self.text, self.found, self.at - 1)
        return token.text[0] == "1"

    def product(self) -> Terms:
        start = self.at
        left = self.nested()
        while (op := self.peek()) in ("*", "/"):
            self.at += 1
            right = self.nested()
            self.operands(start, left, right, 2 if op == "*" else None)
            if op == "*":
                left = left | right | self.joined(left, right)
            else:
                left = left | self.joined({_INTERCEPT.union(*left): None}, right)
        return left

    def nested(self) -> Terms:
        start = self.at
        left = self.interaction()
        while self.peek() == "%in%":
            self.at += 1
            right = self.interaction()
            self.operands(start, left, right, None)
            left = self.joined(left, {_INTERCEPT.union(*right): None})
        return left

    def interaction(self) -> Terms:
        start = self.at
        left = self.power()
        while self.peek() == ":":
            self.at += 1
            right = self.power()
            self.operands(start, left, right, 2)
            left = self.joined(left, right)
        return left

    def power(self) -> Terms:
        start = self.at
        base = self.operand()
        if self.peek() not in _POWERS:
            return base
        self.at += 1
        exponent = self.exponent(start)
        self.no_intercept(base, start)
        if exponent > 1:
            self.remark(start, base, base, exponent)
        terms = base
        for _ in range(exponent - 1):
            larger = self.joined(terms, base)
            if larger.keys() == terms.keys():
                break
            terms = larger
        return terms

    def exponent(self, start: int) -> int:
        token = self.found[self.at] if self.at < len(self.found) else None
        power = float(token.text.rstrip("L")) if token and token.kind == "number" else 0.0
        first, self.at = self.at, self.at + 1
        if power < 1 or not power.is_integer() or self.peek() in _POWERS:
            text = self.span(start, self.end_of_power(first))
            raise FormulaError(
                f"the power in {quoted(text)} must be a whole number, 1 or more: it says how many "
                "terms are multiplied; a power of numbers is written inside I(...), as in I(x^0.5)"
            )
        return int(power)

    def end_of_power(self, first: int) -> int:
        """Where what stands behind a ^ ends: signs, and a number, name or parenthesis."""
        end, count = first, len(self.found)
        while end < count and self.found[end].text in ("+", "-", *_POWERS):
            end += 1
        if end < count and self.found[end].text == "(":
            end = closing(self.found, end, self.text)
        end = min(end + 1, count)
        again = end < count and self.found[end].text in _POWERS
        return self.end_of_power(end) if again else end

    def operand(self) -> Terms:
        if self.at >= len(self.found):
            raise unexpected(self.text, self.found, self.at)
        token = self.found[self.at]
        if token.kind == "number":
            raise misplaced_number(self.text, self.found, self.at)
        if token.kind in ("name", "quoted"):
            end = self.end_of_atom()
            start, self.at = self.at, end + 1
            if token.text == "." and end == start:
                return {frozenset([self.atom(f"`{name}`")]): None for name in self.dot}
            return {frozenset([self.atom(self.span(start, self.at))]): None}
        if token.text != "(":
            raise unexpected(self.text, self.found, self.at)
        end = closing(self.found, self.at, self.text)
        if [token.text for token in self.found[self.at + 1 : self.at + 3]] == ["1", "|"]:
            return self.random_effect(end)
        self.at += 1
        self.depth += 1
        terms = self.sum()
        self.depth -= 1
        if self.peek() != ")":
            raise unexpected(self.text, self.found, self.at)
        self.at += 1
        return terms

    def random_effect(self, end: int) -> Terms:
        """(1 | g), as lme4 writes what is re(g) here."""
        start, self.at = self.at + 3, end + 1
        if start == end:
            raise FormulaError(f"{quoted(self.text)}: a factor is missing behind '1 |'")
        return {frozenset([self.atom(f"re({self.span(start, end)})")]): None}

    def end_of_atom(self) -> int:
        follows = self.found[self.at + 1 : self.at + 2]
        if self.found[self.at].kind == "name" and follows and follows[0].text == "(":
            return closing(self.found, self.at + 1, self.text)
        return self.at

    def atom(self, text: str) -> int:
        if text not in self.read_before:
            expression = parse_expression(text)
            place = self.places.setdefault(expression.text, len(self.places))
            if place == len(self.side.atoms):
                self.side.atoms.append(expression)
            self.read_before[text] = place
        return self.read_before[text]

    def joined(self, left: Terms, right: Terms) -> Terms:
        """Each term of one times each of the other."""
        self.products += len(left) * len(right)
        if self.products > _MOST_PRODUCTS:
            self.check(MOST_TERMS + 1)
        terms: Terms = {}
        for one in left:
            for other in right:
                terms[one | other] = None
            self.check(len(terms))
        return terms

    def check(self, n_terms: int) -> None:
        if n_terms > MOST_TERMS:
            raise FormulaError(
                f"the formula stands for more than {MOST_TERMS} terms, or for too many products on "
                "the way to them; cross fewer columns, or take a lower power"
            )

    def operands(self, start: int, left: Terms, right: Terms, power: int | None) -> None:
        self.no_intercept(left | right, start)
        self.remark(start, left, right, power)

    def no_intercept(self, terms: Mapping[Term, None], start: int) -> None:
        if _INTERCEPT in terms:
            raise FormulaError(
                f"{quoted(self.span(start, self.at))}: 1 stands for the intercept, and can only "
                "be added or taken away; write it outside of the parentheses"
            )

    def remark(self, start: int, left: Terms, right: Terms, power: int | None) -> None:
        """A note where a name meets only itself, which in arithmetic would be a power of it.

        None for what would be no power, as a quotient.
        """
        if left.keys() != right.keys() or len(left) != 1 or len(min(left)) != 1:
            return
        atom = min(min(left))
        own = self.found[start : self.at]
        if atom not in self.side.powers and all(token.text != "." for token in own):
            expression = self.side.atoms[atom]
            self.side.powers[atom] = Power(
                f"{self.span(start, self.at)} in a formula is {expression.text} itself (what is "
                "multiplied are terms, not numbers)",
                f"; a power of numbers is written {_of_numbers(expression, power)}"
                if power
                else "",
            )

    def span(self, start: int, end: int) -> str:
        """The user's text from one token up to another."""
        return self.text[self.found[start].start : self.found[end - 1].end]


def _of_numbers(expression: Expression, power: int) -> str:
    """How a power of the numbers of an expression is written, as the same kind of term."""
    inside = expression.argument if expression.call in ("I", "offset") else None
    call, base = ("I", expression) if inside is None else (expression.call, inside)
    text = base.text if base.column or base.call else f"({base.text})"
    return f"{call}({with_carets(text)}^{power})"

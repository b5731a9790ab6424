"""Owns the text of linear hypotheses: equations between sums of coefficients, called by name.

A name may hold any character (``C(g, Sum)[S.a]``, ``I(x**2)``, ``x1:x2``): of the names of the fit
the longest that stands in a place is meant, and a name in backticks is taken as it is.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import numpy as np

from jaxglm.words import FloatArray, near_text

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_OPERATORS = "+-*/=(),"
# What may stand behind a name, besides white space; anything else is a part of a longer one.
_AFTER_NAME = "+-*/=),"
_MOST_NESTED = 100


class Equation(NamedTuple):
    """One equation: `coef` [p] times the coefficients is `value`; both sides as they were written.

    `right` is empty where the text has no equals sign, which stands for 0.
    """

    coef: FloatArray
    value: float
    left: str
    right: str


@dataclass(frozen=True)
class _Token:
    """A name, a number or an operator, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


class _Sum(NamedTuple):
    """A combination of coefficients, and what is added to it."""

    coef: FloatArray
    constant: float

    @property
    def is_number(self) -> bool:
        return not self.coef.any()

    def times(self, factor: float) -> "_Sum":
        return _Sum(factor * self.coef, factor * self.constant)

    def plus(self, other: "_Sum") -> "_Sum":
        return _Sum(self.coef + other.coef, self.constant + other.constant)


def equations(text: str, names: Sequence[str]) -> list[Equation]:
    """The equations that a text states, separated by commas, in the order of the text.

    ``a = b = c`` are two, and an expression without an equals sign is 0.

    Raises
    ------
    ValueError
        If the text cannot be read, names no coefficient of the fit (near names are told), or is
        not linear.

    Examples
    --------
    >>> [one] = equations("2*x1 = x1:x2 + 0.5", ["x1", "x2", "x1:x2"])
    >>> one.coef.tolist(), one.value
    ([2.0, 0.0, -1.0], 0.5)
    """
    return _Reader(text, names).equations()


def _squeezed(name: str) -> str:
    return "".join(name.split())


class _Reader:
    """Reads one text; its messages quote it."""

    def __init__(self, text: str, names: Sequence[str]):
        self.text = text
        self.names = names
        self.place: Mapping[str, int] = {name: i for i, name in enumerate(names)}
        self.lengths = sorted({len(name) for name in names}, reverse=True)
        self.tokens = list(self._tokens())

    def equations(self) -> list[Equation]:
        return self._system(self.tokens)

    @functools.cached_property
    def _squeezed(self) -> dict[str, str]:
        """The names without white space, as another may set it than the formula did."""
        return {_squeezed(name): name for name in reversed(self.names)}

    # -- tokens ----------------------------------------------------------------------------------

    def _tokens(self) -> Iterator[_Token]:
        i, depth = 0, 0
        before: _Token | None = None
        while i < len(self.text):
            if self.text[i].isspace():
                i += 1
                continue
            token = self._token(i, before)
            depth += (token.text == "(") - (token.text == ")") if token.kind == "op" else 0
            if depth > _MOST_NESTED:
                self._fail(f"more than {_MOST_NESTED} parentheses stand inside each other")
            if depth < 0:
                self._fail("a parenthesis is closed that was not opened")
            yield token
            i, before = token.end, token
        if depth:
            self._fail("a parenthesis is left open")

    def _token(self, i: int, before: _Token | None) -> _Token:
        if self.text[i] == "`":
            return self._quoted(i)
        number = _NUMBER.match(self.text, i)
        name = self._name(i)
        if name and not (number and number.end() >= i + len(name)):
            return _Token("name", name, i, i + len(name))
        if number:
            return _Token("number", number.group(), i, number.end())
        if self.text.startswith("==", i):
            return _Token("op", "=", i, i + 2)
        if self.text[i] in _OPERATORS:
            return _Token("op", self.text[i], i, i + 1)
        if self.text[i] in "<>!~":
            self._fail("a hypothesis is an equation, written with '='")
        word = self._word(i)
        if self._squeezed.get(_squeezed(word)):
            return _Token("name", self._squeezed[_squeezed(word)], i, i + len(word))
        # A name that is read halfway belongs to what follows.
        start = before.start if before is not None and before.kind != "op" else i
        self._unknown(self._word(start))

    def _quoted(self, i: int) -> _Token:
        end = self.text.find("`", i + 1)
        if end < 0:
            self._fail(f"the backtick at position {i} is left open")
        name = self.text[i + 1 : end]
        if name not in self.place:
            self._unknown(name)
        return _Token("name", name, i, end + 1)

    def _name(self, i: int) -> str | None:
        """The longest name of the fit that begins here, and ends where a name may end."""
        for length in self.lengths:
            name = self.text[i : i + length]
            if name in self.place and (self._ends(i + length) or self.text[i + length].isspace()):
                return name
        return None

    def _ends(self, i: int) -> bool:
        """Whether an operator stands here, or the end; a power has a name of its own."""
        if i >= len(self.text):
            return True
        return self.text[i] in _AFTER_NAME and not self.text.startswith("**", i)

    def _word(self, start: int) -> str:
        """What stands from here to the next operator outside of brackets."""
        i, depth = start, 0
        while i < len(self.text) and (depth > 0 or i == start or not self._ends(i)):
            depth += (self.text[i] in "([") - (self.text[i] in ")]")
            i += 2 if self.text.startswith("**", i) else 1
        return self.text[start:i].strip()

    # -- grammar ---------------------------------------------------------------------------------

    def _system(self, tokens: list[_Token]) -> list[Equation]:
        tokens = self._unwrapped(tokens)
        parts = self._split(tokens, ",")
        if len(parts) > 1:
            return list(itertools.chain.from_iterable(map(self._system, parts)))
        sides = self._split(tokens, "=")
        if len(sides) == 1:
            whole = self._sum(sides[0])
            return [Equation(whole.coef, -whole.constant, self._shown(sides[0]), "")]
        sums = [self._sum(side) for side in sides]
        out = []
        for (own, left), (other, right) in itertools.pairwise(zip(sides, sums, strict=True)):
            less = left.plus(right.times(-1.0))
            out.append(
                Equation(less.coef, -less.constant, self._shown(own), self._shown(other)),
            )
        return out

    def _unwrapped(self, tokens: list[_Token]) -> list[_Token]:
        """Without parentheses around the whole."""
        while tokens and tokens[0].text == "(" and self._closing(tokens, 0) == len(tokens) - 1:
            tokens = tokens[1:-1]
        return tokens

    def _closing(self, tokens: list[_Token], opening: int) -> int:
        depth, i = 0, opening
        while depth > 0 or i == opening:
            if tokens[i].kind == "op":
                depth += (tokens[i].text == "(") - (tokens[i].text == ")")
            i += 1
        return i - 1

    def _split(self, tokens: list[_Token], mark: str) -> list[list[_Token]]:
        """Runs of tokens between marks that stand outside of parentheses."""
        runs: list[list[_Token]] = [[]]
        depth = 0
        for token in tokens:
            is_op = token.kind == "op"
            depth += (token.text == "(") - (token.text == ")") if is_op else 0
            if is_op and token.text == mark and depth == 0:
                runs.append([])
            else:
                runs[-1].append(token)
        return runs

    def _sum(self, tokens: list[_Token]) -> _Sum:
        """A sum of products, from the first token to the last."""
        if not tokens:
            self._fail(
                "an expression is missing beside '=' or ','" if self.tokens else "it is empty"
            )
        total, rest = self._product(tokens)
        while rest:
            sign = rest[0].text if rest[0].kind == "op" else ""
            if sign not in ("+", "-"):
                self._fail(f"an operator is missing before {rest[0].text!r}; write 2*x for twice x")
            term, rest = self._product(rest[1:])
            total = total.plus(term.times(1.0 if sign == "+" else -1.0))
        return total

    def _product(self, tokens: list[_Token]) -> tuple[_Sum, list[_Token]]:
        """The first product, and the tokens behind it."""
        value, rest = self._factor(tokens)
        while rest and rest[0].kind == "op" and rest[0].text in "*/":
            other, behind = self._factor(rest[1:])
            if rest[0].text == "/":
                if not other.is_number or other.constant == 0:
                    self._fail("only a number other than 0 can stand behind '/'")
                value = value.times(1 / other.constant)
            elif other.is_number:
                value = value.times(other.constant)
            elif value.is_number:
                value = other.times(value.constant)
            else:
                self._fail(
                    "coefficients are multiplied with each other, and a hypothesis is linear. An "
                    "interaction or a power is called by the name of its column, as in `x1:x2`"
                )
            rest = behind
        return value, rest

    def _factor(self, tokens: list[_Token]) -> tuple[_Sum, list[_Token]]:
        sign = 1.0
        while tokens and tokens[0].kind == "op" and tokens[0].text in "+-":
            sign, tokens = sign * (-1.0 if tokens[0].text == "-" else 1.0), tokens[1:]
        if not tokens:
            self._fail("it ends with an operator")
        first = tokens[0]
        if first.kind == "number":
            value = _Sum(np.zeros(len(self.names)), float(first.text))
        elif first.kind == "name":
            value = _Sum(np.zeros(len(self.names)), 0.0)
            value.coef[self.place[first.text]] = 1.0
        elif first.text == "(":
            end = self._closing(tokens, 0)
            inner = tokens[1:end]
            if any(token.kind == "op" and token.text in "=," for token in inner):
                self._fail("an equation in parentheses stands by itself, as in '(x = 0), (z = 0)'")
            return self._sum(inner).times(sign), tokens[end + 1 :]
        else:
            self._fail(f"{first.text!r} stands where a coefficient or a number is expected")
        return value.times(sign), tokens[1:]

    # -- messages --------------------------------------------------------------------------------

    def _shown(self, tokens: list[_Token]) -> str:
        return " ".join(self.text[tokens[0].start : tokens[-1].end].split())

    def _fail(self, reason: str) -> NoReturn:
        raise ValueError(f"hypothesis {self.text!r}: {reason}")

    def _unknown(self, name: str) -> NoReturn:
        self._fail(f"there is no coefficient {name!r}; {near_text(name, self.names)}")

"""Owns a formula taken apart: its terms, and which factors of a term lose a level.

Both follow R.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jaxglm._status import FormulaError
from jaxglm.io.formula._algebra import Power, RightSide, read_terms
from jaxglm.io.formula._functions import SHRUNK
from jaxglm.io.formula._misread import backtick_hint
from jaxglm.io.formula._rtext import Expression, parse_expression
from jaxglm.io.formula._tokens import quoted, split_sides
from jaxglm.words import near_text


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
    powers : dict of str to Power
        By the text of what is multiplied with itself, what is to be said of that.
    """

    text: str
    response: Expression | None
    components: tuple[Expression, ...]
    terms: tuple[tuple[int, ...], ...]
    offsets: tuple[Expression, ...]
    notes: tuple[str, ...]
    powers: Mapping[str, Power]


def parse_formula(text: str, columns: Sequence[str], aside: Collection[str] = ()) -> Formula:
    """Take a formula apart.

    `columns` are those of the table. `.` stands for them, those of the response and `aside` left
    out.

    Raises
    ------
    FormulaError
        If the formula is malformed, or means something that a GLM has no place for.
    """
    if not isinstance(text, str):
        raise FormulaError(
            f"the formula must be text such as 'y ~ x + z'; what was given is {quoted(str(text))}"
        )
    try:
        return _taken_apart(text, columns, aside)
    except FormulaError as error:
        raise FormulaError(f"{error}{backtick_hint(text, columns)}") from None


def _taken_apart(text: str, columns: Sequence[str], aside: Collection[str]) -> Formula:
    left, right = split_sides(text)
    response = parse_expression(left) if left else None
    taken = {*aside, *(response.columns() if response else ())}
    side = read_terms(right, [name for name in columns if name not in taken])
    _check_dots([*([response] if response else []), *side.atoms])
    offsets, terms = [], []
    for term in side.terms:
        if all(side.atoms[i].call != "offset" for i in term):
            terms.append(tuple(sorted(term)))
        elif len(term) == 1:
            offsets.append(side.atoms[min(term)])
        else:
            raise FormulaError(
                f"formula {quoted(text)}: offset(...) cannot be part of an interaction"
            )
    for own in terms:
        shrunk = [side.atoms[i] for i in own if side.atoms[i].call in SHRUNK]
        if shrunk and len(own) > 1:
            raise FormulaError(
                f"formula {quoted(text)}: {shrunk[0].label} has a penalty of its own and cannot be "
                "part of an interaction; an interaction without one is made with ns(x, df=5)"
            )
    used = sorted({i for term in terms for i in term})
    place = {atom: i for i, atom in enumerate(used)}
    ordered = sorted((tuple(place[i] for i in term) for term in terms), key=len)
    return Formula(
        text=text.strip(),
        response=response,
        components=tuple(side.atoms[i] for i in used),
        terms=tuple(([()] if side.intercept else []) + ordered),
        offsets=tuple(offsets),
        notes=(*side.notes, *_notes_on_removed(side, columns, taken)),
        powers={side.atoms[atom].text: power for atom, power in side.powers.items()},
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
    seen: set[tuple[frozenset[int], frozenset[int]]] = set()
    # By each factor of a term: a margin is looked for among the terms that have one of its factors.
    holding: defaultdict[tuple[frozenset[int], int | None], list[frozenset[int]]]
    holding = defaultdict(list)

    def is_there(numbers: frozenset[int], margin: frozenset[int]) -> bool:
        if (numbers, margin) in seen:
            return True
        return any(margin <= other for other in holding[numbers, next(iter(margin), None)])

    codings = []
    for term in terms:
        numbers, labels = frozenset(term) - labelled, frozenset(term) & labelled
        codings.append(tuple(i in labelled and is_there(numbers, labels - {i}) for i in term))
        seen.add((numbers, labels))
        for i in (None, *labels):
            holding[numbers, i].append(labels)
    return codings


def _check_dots(expressions: Iterable[Expression]) -> None:
    for expression in expressions:
        if any(set(name) == {"."} for name in expression.columns()):
            raise FormulaError(
                f"{quoted(expression.text)} in the formula: '.' stands for all other columns, and "
                "only as a term of the right side; name the column here"
            )


def _notes_on_removed(
    side: RightSide, columns: Collection[str], taken: Collection[str]
) -> Iterator[str]:
    """Remarks on terms to be taken out that are not there; a name of no column is refused."""
    for term, text in side.removed.items():
        atoms = [side.atoms[i] for i in sorted(term)]
        strange = [a.column for a in atoms if a.column and a.column not in (*columns, *taken)]
        if strange:
            raise FormulaError(
                f"{quoted(text)} in the formula: no column {strange[0]!r} in the data; "
                f"{near_text(strange[0], columns)}"
            )
        label = ":".join(atom.label for atom in atoms)
        if any(atom.call == "offset" for atom in atoms):
            raise FormulaError(
                f"{quoted(text)} in the formula: there is no {label} to take out; an offset is "
                "added, and the negative of an amount is offset(-(...))"
            )
        if label not in taken:
            yield f"{quoted(text)} in the formula: there is no term {label} to take out"

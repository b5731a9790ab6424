"""Owns the suggestion of families for a response, and how it is told."""

import dataclasses
import textwrap

import pandas as pd

from jaxglm.words import count

# The least number of the rarer outcome that a few coefficients can be told from.
_FEW_EVENTS = 10

NOTHING_VARIES = "All values are the same: there is nothing that predictors could explain."


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A family that suits a response.

    Attributes
    ----------
    family, link : str
        As `glm` takes them.
    reason : str
    cautions : tuple of str
        What to think of before.
    """

    family: str
    link: str
    reason: str
    cautions: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, repr=False)
class FamilySuggestions:
    """Families that suit a response, the most suitable first; made by `suggest_family`.

    Attributes
    ----------
    seen : str
        What the response looks like.
    suggestions : tuple of Suggestion
        Empty where no family suits.
    notes : tuple of str
        What holds whatever the family; where none suits, why, and what to do.
    """

    seen: str
    suggestions: tuple[Suggestion, ...]
    notes: tuple[str, ...] = ()

    @property
    def family(self) -> str | None:
        """The most suitable one, as `glm` takes it; None where none suits."""
        return self.suggestions[0].family if self.suggestions else None

    @property
    def table(self) -> pd.DataFrame:
        """Columns `family, link, reason, cautions`, a row for each family."""
        rows = [
            dataclasses.asdict(one) | {"cautions": " ".join(one.cautions)}
            for one in self.suggestions
        ]
        columns = [field.name for field in dataclasses.fields(Suggestion)]
        return pd.DataFrame(rows, columns=columns, dtype=object)

    def __str__(self) -> str:
        lines = [f"Response: {self.seen}"]
        if not self.suggestions:
            lines.append("No family suits it.")
        for i, one in enumerate(self.suggestions, 1):
            lines.append(f"{i}. family={one.family!r}, link={one.link!r}")
            for text in (one.reason, *(f"Caution: {words}" for words in one.cautions)):
                lines += textwrap.wrap(text, 78, initial_indent="   ", subsequent_indent="   ")
        for text in self.notes:
            lines += textwrap.wrap(f"Note: {text}", 78, subsequent_indent="  ")
        return "\n".join(lines)

    __repr__ = __str__


def two_outcomes(event: str, events: float, n: float) -> Suggestion:
    """The binomial family for single outcomes, `events` of `n` of the kind that is modelled."""
    return Suggestion(
        "binomial",
        "logit",
        f"Two outcomes: the model is of the probability of {event}; coefficients are log odds "
        "ratios.",
        rare(events, n),
    )


def rare(events: float, n: float) -> tuple[str, ...]:
    """A caution where one of two outcomes hardly occurs."""
    fewest = min(events, n - events)
    if fewest >= _FEW_EVENTS:
        return ()
    return (
        f"Only {count(fewest)} of {count(n)} outcomes are of the rarer kind: enough for an average "
        "and hardly for coefficients; separation is likely.",
    )

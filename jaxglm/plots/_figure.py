"""Owns the look of a plot: its axes, inks, labels and sizes; no setting of matplotlib is changed.

Sizes of text are relative to the user's `font.size`, and inks follow the colour of his labels, so
that plots fit a dark notebook as well as a page.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

# Inches: a column of a journal or of a notebook.
WIDTH, HEIGHT = 4.5, 3.2
# Letters of a name, and how many are kept at its beginning and in front of what differs.
_LONGEST_NAME = 38
_BEFORE = 10


class Inks(NamedTuple):
    """Colours: of text, of what is drawn, and of what stands out in it."""

    text: Any
    first: str
    second: str


# Okabe and Ito's colours, told apart with any kind of colour vision: blue and vermilion on white,
# sky blue and orange on black.
_ON_LIGHT = ("#0072B2", "#D55E00")
_ON_DARK = ("#56B4E9", "#E69F00")


@dataclasses.dataclass(frozen=True)
class Labels:
    """What is written around a plot."""

    title: str
    x: str
    y: str
    shown: str = ""


def pyplot() -> Any:
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        Where it is not installed; the message says how to.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Plots are drawn with matplotlib, which is not installed here: "
            "pip install 'jaxglm[plots]'"
        ) from error
    return plt


def axes(ax: Any, height: float = HEIGHT, width: float = WIDTH) -> Any:
    """The axes that were given, or new ones.

    Raises
    ------
    TypeError
        For what is no axes, such as a figure.
    """
    plt = pyplot()
    if ax is None:
        return plt.subplots(figsize=(width, height), layout="constrained")[1]
    if not hasattr(ax, "get_xaxis_transform"):
        raise TypeError(
            f"ax must be the axes to draw on, as of matplotlib.pyplot.subplots(), not a "
            f"{type(ax).__name__}"
        )
    return ax


def inks(ax: Any) -> Inks:
    """The colours to draw with: on dark ground labels are light."""
    from matplotlib.colors import to_rgb

    text = ax.xaxis.label.get_color()
    light = np.dot((0.2126, 0.7152, 0.0722), to_rgb(text)) > 0.5
    return Inks(text, *(_ON_DARK if light else _ON_LIGHT))


def finish(ax: Any, labels: Labels) -> None:
    """Write what stands around a plot, and take away what says nothing."""
    ax.set_title(labels.title, loc="left", fontsize="medium")
    ax.set_xlabel(labels.x, fontsize="small")
    ax.set_ylabel(labels.y, fontsize="small")
    ax.tick_params(labelsize="small")
    ax.spines[["top", "right"]].set_visible(False)
    if labels.shown:
        ax.annotate(
            labels.shown,
            (1.0, 1.0),
            xytext=(0, 1.5),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize="x-small",
            alpha=0.75,
        )


def say_instead(ax: Any, words: str) -> None:
    """Why a plot is not there, in its place."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, ha="center", va="center", wrap=True, fontsize="small")


def reference(ax: Any, *, x: float | None = None, y: float | None = None) -> None:
    """A thin line to compare with, across the axes."""
    style = {"color": inks(ax).text, "alpha": 0.5, "linewidth": 0.8, "linestyle": (0, (4, 3))}
    if x is not None:
        ax.axvline(x, zorder=0, **style)
    if y is not None:
        ax.axhline(y, zorder=0, **style)


def diagonal(ax: Any, low: float = 0.0, high: float = 1.0) -> None:
    """The line on which both axes are equal."""
    ink = inks(ax).text
    ax.plot([low, high], [low, high], color=ink, alpha=0.5, lw=0.8, ls=(0, (4, 3)), zorder=0)


def legend(ax: Any, corner: str = "upper right") -> None:
    """A legend without a frame; the best place for one takes long to find among many points."""
    ax.legend(frameon=False, fontsize="x-small", loc=corner)


def short_names(names: Iterable[object]) -> list[str]:
    """Names in the room that there is: long ones without what they have in common.

    Examples
    --------
    >>> short_names(["salary", "C(department_of_the_employee)[T.research and development]"])
    ['salary', 'C(department_of_the…ch and development]']
    >>> long = "C(district_of_the_office)[T.number {} of the northern provinces]"
    >>> short_names(long.format(number) for number in (1, 2))
    ['C(district…[T.number 1 of the northern …', 'C(district…[T.number 2 of the northern …']
    """
    texts = [str(name) for name in names]
    long = {text for text in texts if len(text) > _LONGEST_NAME}
    half = _LONGEST_NAME // 2
    cut = {text: f"{text[:half]}…{text[-half:]}" for text in long}
    if len(set(cut.values())) < len(long):
        # They differ in the middle only: there the names are kept.
        start = _same_letters(min(long), max(long)) - _BEFORE
        cut = {text: _from(text, start) for text in long}
    if len(set(cut.values())) < len(long):
        cut = {}
    return [cut.get(text, text) for text in texts]


def _same_letters(first: str, last: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)


def _from(text: str, start: int) -> str:
    """The beginning of a text, and what it holds from a position on."""
    room = _LONGEST_NAME - _BEFORE
    if start <= _BEFORE or len(text) <= start + room:
        start = min(max(start, _BEFORE), max(len(text) - room, _BEFORE))
    rest = text[start : start + room]
    return f"{text[:_BEFORE]}…{rest}{'…' if start + room < len(text) else ''}"


def number(n: float, noun: str) -> str:
    """So many of a thing.

    Examples
    --------
    >>> number(1, "row"), number(12000.0, "row"), number(2.5, "observation")
    ('1 row', '12,000 rows', '2.5 observations')
    """
    return f"{n:,.10g} {noun}" + ("" if n == 1 else "s")


def level_text(alpha: float) -> str:
    """The level of an interval.

    Examples
    --------
    >>> level_text(0.05), level_text(0.001)
    ('95 %', '99.9 %')
    """
    return f"{100 * (1 - alpha):g} %"

"""What jaxglm makes of inputs that break, or quietly mislead, GLM software."""

from functools import cache

import pytest

from . import ids
from .engine import fit
from .exceptions import EXCEPTIONS
from .judge import Verdict, judge

# Of the cases that jaxglm offers anything for.
SHARE_HANDLED = 0.95


@cache
def verdict(identifier: str) -> Verdict:
    return judge(fit, identifier)


@pytest.mark.parametrize("identifier", ids())
def test_verdict(identifier: str) -> None:
    expected, _ = EXCEPTIONS.get(identifier, ("handled", ""))
    found = verdict(identifier)
    assert found.verdict == expected, found.note


def test_none_is_silently_wrong() -> None:
    silent = {i: verdict(i).note for i in ids() if verdict(i).verdict == "silent"}
    assert not silent


def test_nearly_all_are_handled() -> None:
    verdicts = [verdict(i).verdict for i in ids()]
    offered = len(verdicts) - verdicts.count("n/a")
    handled = verdicts.count("handled")
    assert handled >= SHARE_HANDLED * offered, f"{handled} of {offered}"

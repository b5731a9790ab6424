"""Judge a GLM engine on the hard cases.

An engine is a function ``fit(X, y, kwargs)`` (see ``_registry`` for kwargs) that raises, or returns
a dict with coef and, where the engine has them, se, fitted, deviance, dispersion, theta, nobs,
messages (what the user is shown beyond Python warnings, which are collected here) and predict
(callable on newdata). ``NotSupported`` says that the engine does not offer what the case needs.

Verdicts
  handled        what the case asks for
  flagged        wrong or incomplete, but the user is told that something is off
  refused        a clear error although an answer exists
  unclear error  an exception whose text does not say what is wrong with the input
  silent         a wrong, arbitrary or meaningless result with no sign of it
  n/a            not offered by the engine
"""

import contextlib
import io
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import get

Engine = Callable[[Any, Any, dict[str, Any]], dict[str, Any]]


class NotSupported(Exception):
    """The engine does not offer this kind of fit."""


@dataclass(frozen=True)
class Verdict:
    verdict: str
    note: str = ""


# A result that does not reach its digits is flagged, not silent, when the user reads one of these.
TROUBLE = (
    "converg|overflow|singular|ill-?cond|boundar|fail|rank|step size|maximum number|iteration"
    "|precision|invalid value|divide by zero|perfect|numerically|not respect|clipping|nan|inf\\b"
)
# An exception with one of these is a refusal that a user can understand.
CLEAR = (
    "variation|converg|starting values|valid set|singular|rank|overflow|step|diverg|not supported"
    "|feasible|domain|positive|linear predictor|separat"
)
# Texts that speak of the inside of the program, not of what the user did.
INSIDE = (
    "first guess on the deviance|zero-size array|ufunc '|estimation infeasible|list index|NoneType"
    "|unpack|cannot reshape|object arrays are not supported"
)
QUIET = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)


def says(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def is_clear(text: str) -> bool:
    return says(CLEAR, text) and not says(INSIDE, text)


def digits(values, truth, zero: float = 0.0) -> float:
    """Worst log relative error over the elements; those within ``zero`` of the truth are right."""
    values = np.ravel(np.asarray(values, float))
    truth = np.ravel(np.asarray(truth, float))
    if values.shape != truth.shape:
        return 0.0
    worst = 16.0
    for a, b in zip(values, truth, strict=True):
        if not math.isfinite(a):
            return 0.0
        error = abs(a - b)
        if error <= zero:
            continue
        if abs(b) > 1e-25 and abs(b) > zero:
            error /= abs(b)
        worst = min(worst, -math.log10(error)) if error > 0 else worst
    return max(0.0, worst)


@dataclass
class Outcome:
    """What came of one call: a result or an error, and every word the user is shown."""

    result: dict[str, Any] | None
    error: Exception | None
    messages: list[str]

    @property
    def text(self) -> str:
        return " | ".join(self.messages)

    @property
    def error_text(self) -> str:
        return f"{type(self.error).__name__}: {self.error}" if self.error else ""

    @property
    def note(self) -> str:
        return (self.error_text or self.text)[:160].replace("\n", " ")

    @property
    def coef(self) -> np.ndarray:
        assert self.result is not None
        return np.ravel(np.asarray(self.result["coef"], float))


def run(fit: Engine, X, y, kwargs: dict[str, Any]) -> Outcome:
    result, error = None, None
    silence = io.StringIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
                result = fit(X, y, kwargs)
        except NotSupported:
            raise
        except Exception as e:
            error = e
    messages = [str(w.message) for w in caught if not issubclass(w.category, QUIET)]
    if result:
        messages += list(result.get("messages") or [])
    return Outcome(result, error, messages)


def judge(fit: Engine, identifier: str) -> Verdict:
    """The verdict on one case; NotSupported passes through as n/a."""
    case = get(identifier)
    X, y, kwargs, expect = case["X"], case["y"], case["kwargs"], case["expect"]
    try:
        given = None if X is None or isinstance(X, list) else (np.array(X), np.array(y))
        outcome = run(fit, X, y, kwargs)
        if expect["kind"] in ("equal", "equal_finite"):
            unchanged = given is None or all(
                np.array_equal(before, np.array(now))
                for before, now in zip(given, (X, y), strict=True)
            )
            return _equal(fit, outcome, expect, unchanged)
        if expect["kind"] == "batch":
            return _batch(fit, outcome, case)
        if outcome.error and expect["kind"] in ("value", "report", "alias", "boundary"):
            return _error_instead(outcome, expect)
        if expect["kind"] == "boundary":
            return _boundary(outcome, expect, X, y, kwargs)
        return JUDGES[expect["kind"]](outcome, expect, kwargs)
    except NotSupported as e:
        return Verdict("n/a", str(e)[:80])


def _refusal(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    """kind "error": the fit, or the prediction on newdata, must be refused in clear words."""
    mention = expect["mention"]
    if outcome.error:
        if kwargs.get("newdata") is not None and getattr(outcome.error, "during_fit", False):
            return Verdict("unclear error", outcome.note)
        good = says(mention, outcome.error_text) and not says(INSIDE, outcome.error_text)
        note = outcome.note
        name = expect.get("should_name")
        if good and name and not says(name, outcome.error_text):
            note = "(does not name the culprit) " + note
        return Verdict("handled" if good else "unclear error", note)
    assert outcome.result is not None
    if kwargs.get("newdata") is not None:
        try:
            predicted = outcome.result["predict"](kwargs["newdata"])
        except NotSupported:
            raise
        except Exception as e:
            text = f"{type(e).__name__}: {e}"
            return Verdict("handled" if says(mention, text) else "unclear error", text[:160])
        return Verdict("silent", f"predicted {np.ravel(predicted)[:3]}")
    return Verdict(
        "flagged" if says(mention, outcome.text) else "silent",
        outcome.note or f"coef {outcome.coef[:4].round(4)}",
    )


def _predict(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    """kinds "predict_equal" and "predict_nan"."""
    if outcome.error:
        return Verdict("unclear error", outcome.note)
    assert outcome.result is not None
    try:
        first = np.ravel(np.asarray(outcome.result["predict"](kwargs["newdata"]), float))
    except NotSupported:
        raise
    except Exception as e:
        text = f"{type(e).__name__}: {e}"
        allowed = bool(expect.get("or_error")) and says(expect["or_error"], text)
        return Verdict("handled" if allowed else "unclear error", text[:160])
    if expect["kind"] == "predict_nan":
        row = expect["nan_row"]
        good = (
            len(first) == expect["rows"]
            and np.isnan(first[row])
            and np.isfinite(np.delete(first, row)).all()
        )
        return Verdict("handled" if good else "silent", str(first))
    second = outcome.result["predict"](expect["newdata2"])
    return Verdict("handled" if digits(first, second) >= expect["digits"] else "silent")


def _nobs(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    if outcome.error:
        good = says(expect["or_error"], outcome.error_text)
        return Verdict("handled" if good else "unclear error", outcome.note)
    assert outcome.result is not None
    nobs = outcome.result.get("nobs")
    return Verdict("handled" if nobs == expect["nobs"] else "silent", f"nobs {nobs}")


def _batch(fit: Engine, outcome: Outcome, case: dict[str, Any]) -> Verdict:
    expect = case["expect"]
    if outcome.error:
        return Verdict("unclear error", outcome.note)
    assert outcome.result is not None
    alone = {k: v for k, v in case["kwargs"].items() if k != "batched"}
    for i in expect["good"]:
        one = run(fit, case["X"][i], case["y"][i], alone)
        if one.error or digits(outcome.result["coef"][i], one.coef) < expect["digits"]:
            return Verdict("silent", f"segment {i} differs from its own fit")
    flagged = outcome.result["flagged"]
    bad = [i for i in expect["flagged"] if not flagged[i]]
    bad += [i for i in expect["good"] if flagged[i]]
    return Verdict("silent", f"flags wrong for {bad}") if bad else Verdict("handled")


def _equal(fit: Engine, outcome: Outcome, expect: dict[str, Any], unchanged: bool) -> Verdict:
    """kinds "equal" and "equal_finite": the companion fit gives the expected coefficients."""
    other = expect["other"]
    companion = run(fit, *(other if isinstance(other, tuple) else (None, None, other)))
    finite_only = expect["kind"] == "equal_finite"
    if outcome.error:
        allowed = expect.get("or_error") or (expect["mention"] if finite_only else None)
        if allowed and says(allowed, outcome.error_text):
            return Verdict("handled", outcome.note)
        if says("not supported|does not support", outcome.error_text):
            raise NotSupported(outcome.error_text)
        clear = says(CLEAR, outcome.error_text)
        return Verdict("refused" if clear else "unclear error", outcome.note)
    if companion.error:
        return Verdict("unclear error", f"companion fit: {companion.error_text}"[:160])
    if not unchanged:
        return Verdict("silent", "the engine changed its input")
    assert outcome.result is not None and companion.result is not None
    coef, want = outcome.coef, companion.coef
    if finite_only:
        if says(expect["mention"], outcome.text):
            return Verdict("handled", outcome.note)
        kept = coef[np.isfinite(coef) & (coef != 0)] if len(coef) != len(want) else coef
        good = digits(kept, want) >= expect["digits"]
        return Verdict("handled" if good else "silent", outcome.note or f"coef {coef}")
    order = list(expect.get("transform", range(len(want))))
    factor = np.asarray(expect.get("scale", 1.0))
    want = want[order] * factor + np.asarray(expect.get("shift", 0.0))
    reached = digits(coef, want)
    note, good = f"{reached:.1f} digits", reached >= expect["digits"]
    errors = [r.get("se") for r in (outcome.result, companion.result)]
    if good and expect.get("se", True) and all(e is not None for e in errors):
        expected_se = np.ravel(np.asarray(errors[1], float))[order] * np.abs(factor)
        reached = digits(errors[0], expected_se)
        note += f", SE {reached:.1f}"
        good = reached >= min(expect.get("se_digits", 5), expect["digits"])
    if outcome.note:
        note += " | " + outcome.note
    told = says(TROUBLE, outcome.text)
    return Verdict("handled" if good else "flagged" if told else "silent", note)


def _error_instead(outcome: Outcome, expect: dict[str, Any]) -> Verdict:
    """An exception although the kind asks for a result or a report."""
    text, kind = outcome.error_text, expect["kind"]
    if kind == "report":
        good = says(expect["mention"], text) and not says(INSIDE, text)
        return Verdict("handled" if good else "unclear error", outcome.note)
    if kind == "alias" and says(expect["mention"], text):
        return Verdict("handled", outcome.note)
    if kind == "value" and expect.get("or_report") and says(expect["or_report"], text):
        return Verdict("handled", outcome.note)
    return Verdict("refused" if is_clear(text) else "unclear error", outcome.note)


def _report(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    told = says(expect["mention"], outcome.text)
    if not told:
        return Verdict("silent", f"coef {outcome.coef[:4]}")
    if "finite_coef" in expect and not expect.get("limit"):
        reached = digits(outcome.coef[expect["finite_index"].astype(int)], expect["finite_coef"])
        if reached < 4:
            return Verdict("flagged", f"finite part only {reached:.1f} digits | {outcome.note}")
    return Verdict("handled", outcome.note)


def _alias(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    assert outcome.result is not None
    fitted = outcome.result.get("fitted")
    reached = 0.0 if fitted is None else digits(np.ravel(fitted)[:10], expect["fitted_10"])
    told = says(expect["mention"], outcome.text) or bool(np.isnan(outcome.coef).any())
    good = reached >= expect.get("fitted_digits", 6)
    verdict = "handled" if good and told else "flagged" if told else "silent"
    note = outcome.note or f"coef {outcome.coef[:4]}"
    return Verdict(verdict, f"fitted {reached:.1f} digits, {note}")


def _boundary(outcome: Outcome, expect: dict[str, Any], X, y, kwargs: dict[str, Any]) -> Verdict:
    best = float(expect["deviance"])
    deviance = _deviance(outcome.coef, X, y, kwargs["family"])
    near = deviance is not None and abs(deviance - best) < 2e-3 * abs(best)
    told = says(expect["mention"], outcome.text)
    verdict = "handled" if near and told else "flagged" if told else "silent"
    return Verdict(verdict, f"deviance {deviance}, optimum {best:.6f} | {outcome.note}")


def _value(outcome: Outcome, expect: dict[str, Any], kwargs: dict[str, Any]) -> Verdict:
    assert outcome.result is not None
    result, wanted = outcome.result, expect.get("digits", 6)
    zero = expect.get("abs_tol", 0.0)
    reached = digits(outcome.coef, expect["coef"], zero)
    good, note = reached >= wanted, f"{reached:.1f} digits"
    if not good and expect.get("fitted_digits") and result.get("fitted") is not None:
        fitted = digits(np.ravel(result["fitted"])[:10], expect["fitted_10"])
        note += f", fitted {fitted:.1f}"
    undefined = expect.get("dispersion_undefined")
    if good and result.get("se") is not None and "se" in expect and not undefined:
        largest = float(np.max(np.abs(expect["se"])))
        reached = digits(result["se"], expect["se"], 1e-6 * largest if zero else 0.0)
        note += f", SE {reached:.1f}"
        # Standard errors that are rounding noise of a perfect fit are not held to any digit.
        matters = largest > 1e-9 * max(1e-300, np.max(np.abs(expect["coef"])))
        good = reached >= min(expect.get("se_digits", 3), wanted) or not matters
    # expect["theta"] is a number only where the shape is estimated.
    if good and expect.get("theta") is not None and result.get("theta") is not None:
        reached = digits(result["theta"], expect["theta"])
        note += f", theta {reached:.1f}"
        good = reached >= min(4, wanted)
    if good and expect.get("must_not_report") and says("separat|perfect", outcome.text):
        return Verdict("flagged", "false alarm: " + outcome.note)
    if good and undefined and result.get("dispersion") == 0:
        return Verdict("silent", "dispersion 0")
    if good:
        return Verdict("handled", note)
    note = f"{note} | {outcome.note}" if outcome.note else f"{note} coef {outcome.coef[:4]}"
    if expect.get("or_report") and says(expect["or_report"], outcome.text):
        return Verdict("handled", note)
    return Verdict("flagged" if says(TROUBLE, outcome.text) else "silent", note)


JUDGES: dict[str, Callable[[Outcome, dict[str, Any], dict[str, Any]], Verdict]] = {
    "error": _refusal,
    "predict_equal": _predict,
    "predict_nan": _predict,
    "nobs": _nobs,
    "report": _report,
    "alias": _alias,
    "value": _value,
}


def _deviance(coef: np.ndarray, X: np.ndarray, y: np.ndarray, family: str) -> float | None:
    """Identity-link Poisson, or 0/1 log-binomial; None where the mean is not valid."""
    eta = X @ coef
    if not np.isfinite(eta).all():
        return None
    if family == "poisson":
        if (eta < -1e-6).any() or (eta[y > 0] <= 0).any():
            return None
        mean = np.maximum(eta, 1e-300)
        gain = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mean), 0)
        return float(2 * np.sum(gain - (y - mean)))
    if (eta > 1e-8).any():
        return None
    eta = np.minimum(eta, -1e-300)
    with np.errstate(divide="ignore"):
        failures = np.where(y < 1, (1 - y) * np.log(-np.expm1(eta)), 0)
    return float(-2 * np.sum(y * eta + failures))

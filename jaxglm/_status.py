"""Owns the outcomes a fit can have, the warnings that announce them, and the errors for bad input.

Compiled code returns a `Status`; only host code warns or raises.
"""

import enum
from typing import Any


class Status(enum.IntEnum):
    """How a fit ended. `RUNNING` is the state of a loop that has not stopped yet."""

    RUNNING = 0
    CONVERGED = 1
    MAX_TURNS = 2
    STEP_FAILED = 3
    SINGULAR = 4
    NONFINITE = 5
    SEPARATED = 6
    BOUNDARY = 7
    INVALID = 8

    def __str__(self) -> str:
        # That of an IntEnum is the number, which is what a table of them would show.
        return self.name

    @property
    def usable(self) -> bool:
        """Whether the coefficients are an optimum (a constrained one for `BOUNDARY`)."""
        return self in (Status.CONVERGED, Status.BOUNDARY)

    @property
    def message(self) -> str:
        """One sentence: what happened, the likely cause and what to try."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.RUNNING: "The fit has not stopped.",
    Status.CONVERGED: "The fit converged.",
    Status.MAX_TURNS: (
        "The fit did not converge within the turns allowed; "
        "raise max_turns, give start=, or try method='newton'."
    ),
    Status.STEP_FAILED: (
        "The fit did not converge: no step lowers the objective any further although the score is "
        "not zero; rescale the columns, give start=, or use a link whose range fits the response."
    ),
    Status.SINGULAR: (
        "The information matrix is singular: the data do not determine all coefficients; "
        "remove collinear columns or merge sparse levels."
    ),
    Status.NONFINITE: (
        "The fit did not converge: the linear predictor overflows or leaves the domain of the "
        "link at the starting values (or a formula of the family itself gives nan there); give "
        "start=, rescale the offset or choose another link."
    ),
    Status.SEPARATED: (
        "Separation: no finite maximum-likelihood estimate exists; some coefficients run to "
        "infinity. Merge levels, remove the column, or fit with bias='firth'."
    ),
    Status.BOUNDARY: (
        "The optimum lies on the boundary of the region where the link gives valid means; "
        "standard errors there are not the usual ones. A link whose range fits the response "
        "(log for counts, logit for probabilities) avoids it."
    ),
    Status.INVALID: (
        "The rows of this one of many fits cannot be fitted; `failed` says which, and why."
    ),
}


class JaxglmWarning(UserWarning):
    """Base class of the warnings that a fit gives."""


class ConvergenceWarning(JaxglmWarning):
    """The fit stopped before an optimum was reached."""


class SeparationWarning(JaxglmWarning):
    """Some coefficients have no finite estimate."""


class RankWarning(JaxglmWarning):
    """Some columns are linear combinations of earlier ones and were left out."""


class BoundaryWarning(JaxglmWarning):
    """The optimum lies on the boundary of the valid region."""


class PrecisionWarning(JaxglmWarning):
    """The arithmetic does not resolve the answer as finely as usual."""


class SegmentWarning(JaxglmWarning):
    """Some of many fits have no ordinary optimum; the message counts them by kind."""


class DataWarning(JaxglmWarning):
    """The data can be used, but may be meant otherwise; the message says how to say so."""


class DataError(ValueError):
    """The data cannot be used as given; the message names the column and the rows."""


class FormulaError(DataError):
    """The formula cannot be read or evaluated on this table."""


class FitError(RuntimeError):
    """The fit failed and `on_failure="raise"` was asked for, or jax cannot compute in this process.

    `results` hold what could be fitted, where many fits were asked for.
    """

    def __init__(self, message: str, results: Any = None):
        super().__init__(message)
        self.results = results


for _public in (
    Status,
    JaxglmWarning,
    ConvergenceWarning,
    SeparationWarning,
    RankWarning,
    BoundaryWarning,
    PrecisionWarning,
    SegmentWarning,
    DataWarning,
    DataError,
    FormulaError,
    FitError,
):
    _public.__module__ = "jaxglm"  # tracebacks and warnings show where users find them

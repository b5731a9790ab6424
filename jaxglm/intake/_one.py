"""Owns the way from what the user hands over to a problem: both doors meet here."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import Design, assemble, from_matrix
from jaxglm.families import Family
from jaxglm.intake._model import Columns, Dataset, Model, log_exposure
from jaxglm.rows import ONE_FIT, OneFit, Problem, UsedRows
from jaxglm.sources import Block, Rows

NO_WEIGHT = "All weights are zero: no row counts, so there is nothing to fit."
WEIGHTS = ("freq_weights", "var_weights", "trials", "offset", "exposure")


@dataclasses.dataclass(frozen=True)
class Intake:
    """A problem with the model it is of, and what has to be said about the data.

    `rows` are the positions of its rows in what the user gave; None if all are used.
    """

    problem: Problem
    model: Model
    notes: tuple[str, ...]
    rows: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class Response:
    """The response as given: values or successes, trials where they came with it, its name."""

    values: np.ndarray
    trials: np.ndarray | None
    name: str
    event: str | None

    @classmethod
    def read(cls, found: io.Response, name: str) -> "Response":
        """What a door found."""
        event = None if found.levels is None else str(found.levels[1])
        return cls(found.y, found.trials, name, event)


class Checked(NamedTuple):
    """A response that the family can have: values (proportions where there are trials), notes."""

    y: np.ndarray
    trials: np.ndarray | None
    notes: tuple[str, ...]


def from_formula(
    formula: str,
    data: Any,
    family: Family,
    vectors: Mapping[str, Any],
    *,
    missing: str,
    context: Mapping[str, Any] | None,
    dtype: np.dtype,
    fits: OneFit = ONE_FIT,
    responses: Sequence[str] | None = None,
) -> Intake:
    """The intake of the formula door; `vectors` are column names or arrays, by argument name.

    `fits` says what a row that cannot be used ends; those of its rows that come through are in the
    problem, sound values or not. With `responses`, columns that are yet to be read, the formula has
    no left side and the problem no response: zeros stand for it.
    """
    frame = io.model_frame(
        formula,
        data,
        missing=missing,
        extra=vectors,
        context=context,
        fits=fits,
        responses=responses,
    )
    n = frame.y.size
    # Not the frame itself, whose pieces are a copy of the data that no result should hold.
    spec, kept, n_given = frame.spec, frame.rows_kept, frame.n_rows_given

    def again() -> Columns:
        pieces, _, _ = spec.pieces(data, with_offset=False)
        columns = Columns(*assemble(pieces, n_given), n_given)
        return columns if kept is None else columns.rows(kept)

    def codes_of(name: str) -> np.ndarray:
        codes, _ = io.segments_of(io.read_table(data), [name])
        return codes if kept is None else codes[kept]

    event = None if frame.y_levels is None else str(frame.y_levels[1])
    intake = _intake(
        *assemble(frame.pieces, n),
        Response(frame.y, frame.trials, frame.y_name, event),
        family,
        frame.extra,
        stands_in=responses is not None,
        formula_offset=frame.offset,
        names=tuple(frame.names),
        terms=tuple(frame.terms),
        again=again,
        index=frame.index,
        rows=UsedRows(fits, kept),
        dtype=dtype,
    )
    assert intake.model.dataset is not None
    dataset = dataclasses.replace(intake.model.dataset, codes_of=codes_of)
    model = dataclasses.replace(intake.model, formula=formula, spec=frame.spec, dataset=dataset)
    return dataclasses.replace(intake, model=model, notes=(*frame.notes, *intake.notes))


def from_arrays(
    y: Any,
    X: Any,
    family: Family,
    vectors: Mapping[str, Any],
    *,
    missing: str,
    dtype: np.dtype,
    fits: OneFit = ONE_FIT,
    index: Any = None,
) -> Intake:
    """The intake of the array door; `fits` as for the other one.

    Where `y` is None the problem has no response, as above; `index` are then its labels.
    """
    frame = io.read_arrays(y, X, vectors, missing=missing, fits=fits, index=index)
    kept = frame.rows_kept

    def again() -> Columns:
        matrix, _, _ = io.read_matrix(X, allow_missing=True)
        columns = Columns(*from_matrix(matrix), matrix.shape[0])
        return columns if kept is None else columns.rows(kept)

    intake = _intake(
        *from_matrix(frame.matrix),
        Response.read(frame.response, "" if y is None else frame.y_name),
        family,
        frame.vectors,
        stands_in=y is None,
        formula_offset=None,
        names=frame.names,
        terms=tuple((name, slice(i, i + 1)) for i, name in enumerate(frame.names)),
        again=again,
        index=frame.index,
        rows=UsedRows(fits, kept),
        dtype=dtype,
    )
    return dataclasses.replace(intake, notes=(*frame.notes, *intake.notes))


def _intake(
    design: Design,
    order: np.ndarray,
    response: Response,
    family: Family,
    vectors: Mapping[str, np.ndarray | None],
    *,
    stands_in: bool,
    formula_offset: np.ndarray | None,
    names: tuple[str, ...],
    terms: tuple[tuple[str, slice], ...],
    again: Any,
    index: Any,
    rows: UsedRows,
    dtype: np.dtype,
) -> Intake:
    if order.size == 0:
        raise DataError(
            "The model has no columns, not even an intercept: there is nothing to estimate."
        )
    freq = _nonnegative(vectors.get("freq_weights"), "freq_weights", rows)
    prior = _nonnegative(vectors.get("var_weights"), "var_weights", rows)
    if stands_in:
        counts = _nonnegative(vectors.get("trials"), "trials", rows)
        found = Checked(response.values, counts, ())
    else:
        found = check_response(response, vectors.get("trials"), family, rows, dtype)
    y, trials = found.y, found.trials
    weight = np.ones(y.size)
    for factor in (freq, prior, trials):
        if factor is not None:
            weight = weight * factor
    if not (weight > 0).any():
        raise DataError(NO_WEIGHT)
    offset = _offset(formula_offset, vectors, family, rows)
    _check_representable(offset, "the offset", dtype, rows)
    block = Block(design, Rows(y, weight, offset, freq, trials))
    problem = Problem.of_block(block, order, dtype)
    dataset = Dataset(again, block.rows, index)
    model = Model(
        names=names,
        terms=terms,
        family=family,
        formula=None,
        spec=None,
        y_name=response.name,
        event=response.event,
        used=frozenset(name for name in WEIGHTS if vectors.get(name) is not None),
        dataset=dataset,
    )
    return Intake(problem, model, found.notes, rows.kept)


def check_response(
    response: Response, trials: np.ndarray | None, family: Family, rows: UsedRows, dtype: np.dtype
) -> Checked:
    """The response of some rows, as the family can have it; what it cannot have is refused."""
    if response.event is not None and family.mean_domain != (0.0, 1.0):
        raise DataError(
            f"The response {response.name!r} holds two labels (one of them {response.event!r}), "
            f"which the {family.name} family cannot model; use family='binomial', or recode it to "
            "numbers."
        )
    notes: list[str] = []
    y, trials = _response(response, trials, family, rows, notes)
    _check_support(y, response, family, rows)
    if family.dispersion_fixed and family.has_likelihood and _fractional(y, trials, rows):
        notes.append(
            f"The response {response.name!r} has fractional values: the coefficients are "
            "quasi-likelihood estimates, and the log-likelihood, AIC and BIC are not those of a "
            f"{family.name} distribution."
        )
    _check_representable(y, f"the response {response.name!r}", dtype, rows)
    return Checked(y, trials, tuple(notes))


def _response(
    response: Response,
    trials: np.ndarray | None,
    family: Family,
    rows: UsedRows,
    notes: list[str],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Response values (proportions where there are trials) and trials."""
    y = np.asarray(response.values, float)
    binomial = family.mean_domain == (0.0, 1.0)
    if response.trials is None and trials is None:
        return y, None
    if not binomial:
        raise DataError(
            "Successes and failures (or trials=) are a response of the binomial families; "
            f"the family here is {family.name}."
        )
    if response.trials is not None:
        if trials is not None:
            raise DataError(
                "The response gives successes and failures, which contain the trials already; "
                "leave out trials=."
            )
        counts = _nonnegative(response.trials, "trials", rows)
        return _proportion(y, counts, response.name, rows), counts
    counts = _nonnegative(trials, "trials", rows)
    fractions, beyond = y != np.floor(y), (y < 0) | (y > 1)
    shares = _are_shares(fractions, beyond, rows)
    rows.refuse(
        np.where(shares, beyond, fractions),
        lambda found: (
            f"With trials=, {response.name!r} must be the number of successes (whole numbers) "
            f"or the share of successes (0 to 1); {found.holding(y)} are neither."
        ),
    )
    if shares.all():
        return y, counts
    sound = rows.sound(y.size)
    whole = ~shares[sound]
    if (y[sound][whole] <= 1).all() and (counts[sound][whole] > 1).any():
        notes.append(
            f"{response.name!r} holds only 0 and 1 and trials= holds more than 1: the response was "
            "read as numbers of successes, not as shares."
        )
    proportion = _proportion(np.where(shares, 0.0, y), counts, response.name, rows)
    return np.where(shares, y, proportion), counts


def _are_shares(fractions: np.ndarray, beyond: np.ndarray, rows: UsedRows) -> np.ndarray:
    """Which rows beside trials= are of a fit whose response is shares, not numbers of successes.

    Fractions make them shares; where a fit has both, what more of its rows say.
    """
    codes = np.zeros(fractions.size, int) if rows.codes is None else rows.codes
    # Rows of no fit (code -1) are counted last, by themselves.
    told, against = (
        np.bincount(codes[where], minlength=codes.max() + 2)
        for where in (fractions & (codes >= 0), beyond & ~fractions & (codes >= 0))
    )
    return ((told > 0) & (against <= told))[codes]


def _proportion(successes: np.ndarray, trials: np.ndarray, name: str, rows: UsedRows) -> np.ndarray:
    rows.refuse(
        (successes > trials) | (successes < 0),
        lambda found: (
            f"More successes than trials, or a negative count, in {name!r}: "
            f"{found.holding(successes)}; the trials there: {found.holding(trials)}."
        ),
    )
    return np.divide(successes, trials, out=np.zeros_like(successes), where=trials > 0)


def _check_support(y: np.ndarray, response: Response, family: Family, rows: UsedRows) -> None:
    """Rows of weight 0 must be valid as well: they are data, and a typing error there is one."""
    hint = ""
    if family.mean_domain == (0.0, 1.0):
        hint = (
            " For labels other than 0 and 1 recode them (or pass them as strings); for counts "
            "of successes give trials=, or successes and failures."
        )
    rows.refuse(
        ~np.asarray(family.valid_response(y)),
        lambda found: (
            f"The response {response.name!r} is outside the support of the {family.name} family: "
            f"{family.response_rule}, but {found.holding(y)}.{hint}"
        ),
    )


def _fractional(y: np.ndarray, trials: np.ndarray | None, rows: UsedRows) -> bool:
    sound = rows.sound(y.size)
    y, trials = y[sound], None if trials is None else trials[sound]
    counts = y if trials is None else y * trials
    near = np.abs(counts - np.round(counts)) <= 1e-6 * np.maximum(1, np.abs(counts))
    return not bool(near.all())


# Rounding of the response by more than this share of its spread would show in the coefficients.
_MOST_ROUNDING = 1e-3


def _check_representable(
    values: np.ndarray | None, what: str, dtype: np.dtype, rows: UsedRows
) -> None:
    """Refuse numbers that the arithmetic of the fit would turn into 0, infinity or each other."""
    if values is None or dtype == np.float64:
        return
    remedy = "rescale or centre, or fit with dtype='float64'."
    with np.errstate(over="ignore"):
        narrow = values.astype(dtype)
    rows.refuse(
        ~np.isfinite(narrow) | ((narrow == 0) & (values != 0)),
        lambda found: f"{dtype.name} cannot hold {what}: {found.holding(values)}; {remedy}",
    )
    rounded = np.abs(narrow - values)
    rows.refuse(
        _blurred(values, rounded, rows.codes),
        lambda found: (
            f"{dtype.name} cannot tell the values of {what} apart: it rounds them by up to "
            f"{rounded[found.used].max():.2g}, and their standard deviation is "
            f"{values[found.used].std():.2g}; {remedy}"
        ),
    )


def _blurred(values: np.ndarray, rounded: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """Rows of fits whose values are rounded by too much of their spread."""
    if codes is None:
        varies = np.ptp(values) > 0
        return np.full(values.size, varies and rounded.max() > _MOST_ROUNDING * values.std())
    counts = np.maximum(np.bincount(codes), 1)
    low, high, most = np.full(counts.size, np.inf), np.full(counts.size, -np.inf), counts * 0.0
    for ufunc, into, what in (
        (np.minimum, low, values),
        (np.maximum, high, values),
        (np.maximum, most, rounded),
    ):
        ufunc.at(into, codes, what)
    with np.errstate(all="ignore"):
        from_mean = values - (np.bincount(codes, values) / counts)[codes]
        spread = np.sqrt(np.bincount(codes, from_mean**2) / counts)
        return ((high > low) & (most > _MOST_ROUNDING * spread))[codes]


def _offset(
    formula_offset: np.ndarray | None,
    vectors: Mapping[str, np.ndarray | None],
    family: Family,
    rows: UsedRows,
) -> np.ndarray | None:
    total = formula_offset
    if vectors.get("offset") is not None:
        given = np.asarray(vectors["offset"], float)
        total = given if total is None else total + given
    exposure = vectors.get("exposure")
    if exposure is not None:
        if family.link.name != "log":
            raise DataError(
                f"exposure= enters as log(exposure) under a log link; the link here is "
                f"{family.link.name}. Give the offset on the scale of that link with offset=."
            )
        shift = log_exposure(exposure, rows)
        total = shift if total is None else total + shift
    return None if total is None else np.asarray(total, float)


def _nonnegative(values: np.ndarray | None, name: str, rows: UsedRows):
    if values is None:
        return None
    values = np.asarray(values, float)
    rows.refuse(values < 0, lambda found: f"{name} must not be negative; {found.holding(values)}.")
    return values

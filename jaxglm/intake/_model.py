"""Owns what a result knows beyond its arrays: names, family, formula, and the rows while held."""

import dataclasses
from os import PathLike
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import assemble, from_matrix
from jaxglm.families import Family
from jaxglm.intake._dataset import Columns, Dataset
from jaxglm.intake._vectors import log_exposure
from jaxglm.rows import Postponed, UsedRows
from jaxglm.words import no_attribute


@dataclasses.dataclass(frozen=True)
class TermStrength:
    """The strength `lam` that was estimated for a term's penalty, on the scale of the mean loss.

    `edf` are the degrees of freedom that it leaves.
    """

    term: str
    lam: float
    edf: float


@dataclasses.dataclass(frozen=True)
class CommonPrior:
    """The normal distribution that the coefficients of segments were found to have in common.

    `mean` has p numbers and `covariance` p rows of p, link scale; `dispersion` is that of the
    response in all segments.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    dispersion: float


@dataclasses.dataclass(frozen=True)
class Model:
    """What was fitted.

    Attributes
    ----------
    names : tuple of str
        Column names in public order.
    terms : tuple of (str, slice)
        Which columns belong to which term of the formula.
    family : Family
        With its link and all parameters.
    formula : str or None
        As given; None for arrays.
    spec : TermsSpec or None
        What rebuilds the columns for new data.
    y_name : str
        Name of the response.
    event : str or None
        The label counted as success, for a response of two labels.
    used : frozenset of str
        Which of offset, exposure, trials, freq_weights, var_weights were given.
    dataset : Dataset or None
        The rows while held.
    let_go : bool
        The rows were let go on request, with keep_data=False.
    constraints : str
        What the coefficients were held to, in words; empty for a fit without constraints.
    penalty : str
        What they were shrunk by, as it was given; empty for a fit without a penalty.
    strengths : tuple of TermStrength
        Of the terms for which they were estimated.
    prior : CommonPrior or None
        Of segments that were fitted towards what they have in common.
    """

    names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]
    family: Family
    formula: str | None
    spec: io.TermsSpec | None
    y_name: str
    event: str | None
    used: frozenset[str]
    dataset: Dataset | None = None
    let_go: bool = False
    constraints: str = ""
    penalty: str = ""
    strengths: tuple[TermStrength, ...] = ()
    prior: CommonPrior | None = None

    def __getattr__(self, name: str) -> Any:
        no_attribute(self, name, "result")

    @property
    def exog_names(self) -> list[str]:
        """The column names, as statsmodels calls them."""
        return list(self.names)

    @property
    def endog_names(self) -> str:
        """The name of the response, as statsmodels calls it."""
        return self.y_name

    def held(self, what: str, *, or_data: bool = False, columns: bool = True) -> Dataset:
        """The rows of the fit, as they were there, for `what` needs them.

        `or_data` where the user may give rows of their own as data= in their place. Without
        `columns` for what needs the vectors beside them only, which are the result's own: a matrix
        that was read in place is not looked at.

        Raises
        ------
        DataError
            Where they are held no longer, or the user's matrix has changed.
        """
        if self.dataset is None:
            # The name of a method is written as it is, also where a sentence begins with it.
            subject = what if what.endswith(")") else what[:1].upper() + what[1:]
            again = "Fit with keep_data=True" if self.let_go else "Fit again"
            instead = ", or give rows of your own as data=" if or_data else ""
            raise DataError(
                f"{subject} needs the rows of the fit, and this result holds none: "
                f"{self.why_no_rows}. {again}{instead}."
            )
        if columns:
            self.dataset.check(what)
        return self.dataset

    def without_rows(self, let_go: bool) -> "Model":
        """The model without its rows; `let_go` where that was asked for."""
        return dataclasses.replace(self, dataset=None, let_go=let_go or self.let_go)

    @property
    def why_no_rows(self) -> str:
        """Why the rows are not there, in words."""
        if self.let_go:
            return "this result was made with keep_data=False"
        return "results that were saved, loaded or pickled leave the data behind"

    def new_columns(
        self, data: Any, unseen: str = "raise"
    ) -> tuple[Columns, np.ndarray | None, np.ndarray | None, Any]:
        """Columns, formula offset, missing-row mask and index for new data, a row per row given.

        Raises
        ------
        DataError
            Where a column is missing or a level is unseen.
        """
        if self.spec is None:
            matrix, missing, index = io.read_new_matrix(data, self.names)
            return Columns(*from_matrix(matrix), matrix.shape[0]), None, missing, index
        self.check_table(data)
        pieces, shift, missing = self.spec.pieces(data, unseen=unseen)
        table = io.read_table(data)
        return Columns(*assemble(pieces, table.n_rows), table.n_rows), shift, missing, table.index

    def new_design(
        self, data: Any, *, offset: Any = None, exposure: Any = None, unseen: str = "raise"
    ) -> tuple[Columns, np.ndarray | None, np.ndarray | None, Any]:
        """`new_columns` with offset and exposure in the offset.

        Raises
        ------
        DataError
            As there, and where lengths differ, or an offset or exposure that the fit had is not
            given.
        """
        columns, shift, gaps, index = self.new_columns(data, unseen)
        missing = np.zeros(columns.n, bool) if gaps is None else gaps
        shift = self.offset_of(shift, data, missing, index, offset=offset, exposure=exposure)
        return columns, shift, gaps, index

    def offset_of(
        self,
        shift: np.ndarray | None,
        data: Any,
        missing: np.ndarray,
        index: Any,
        *,
        offset: Any = None,
        exposure: Any = None,
    ) -> np.ndarray | None:
        """The offset of new rows, `shift` that of the formula; nan where a value is missing.

        Raises
        ------
        DataError
            As `new_design`; what is wrong in rows that are `missing` ([n] bool) does not matter.
        """
        self._check_offset(offset, exposure)
        faults = Postponed()
        for name, given in (("offset", offset), ("exposure", exposure)):
            if given is None:
                continue
            vector = io.read_row_values(given, name, data, missing.size, index, faults)
            if name == "exposure":
                vector = log_exposure(vector, UsedRows(faults))
            shift = vector if shift is None else shift + vector
        faults.settle(missing)
        return shift

    def check_table(self, data: Any) -> None:
        """Refuse numbers without names in place of a table."""
        assert self.spec is not None
        if io.is_table(data) or isinstance(data, str | PathLike):
            return
        wanted = self.spec.columns()
        example = ", ".join(f"{name!r}: [...]" for name in wanted[:5])
        more = ", ..." if len(wanted) > 5 else ""
        raise DataError(
            f"data is of type {type(data).__name__}, and the formula needs columns by name: give a "
            f"table or a dict, {{{example}{more}}}."
        )

    def _check_offset(self, offset: Any, exposure: Any) -> None:
        for name, value in (("offset", offset), ("exposure", exposure)):
            if name in self.used and value is None:
                neutral = "offset=0 leaves it out" if name == "offset" else "exposure=1 gives rates"
                raise DataError(
                    f"The model was fitted with {name}=, so predictions on new data need it too: "
                    f"pass {name}= with one value per row, a column name, or one value for all "
                    f"({neutral})."
                )

"""Owns how the results of many segments are given other covariances."""

import abc
import copy
import dataclasses
from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np

from jaxglm._status import DataError
from jaxglm.algebra import Covariance
from jaxglm.inference import (
    Asked,
    CovarianceChoice,
    Estimated,
    ManyCovariances,
    column_of_fit,
    covariance_of,
    covariances_of,
    information_of,
    refuse_idle_table,
    refuse_penalised,
)
from jaxglm.results._many import ManyResults
from jaxglm.results._one import Results
from jaxglm.rows import Segments
from jaxglm.sources import Resident
from jaxglm.words import understands_habits


class RobustSegments(ManyResults):
    """The same fits of segments with other standard errors."""

    _segments: Segments | None
    _asked: Asked | None = None
    # Of the notes, those on the covariance.
    _of_covariance: tuple[str, ...] = ()

    @property
    def cov_type(self) -> str:
        """The kind of covariance that standard errors, tests and intervals rest on."""
        return self.fits.covariance.kind

    @understands_habits
    def robust(
        self,
        cov_type: str | None = None,
        *,
        cluster: Any = None,
        type: Literal["HC0", "HC1", "HC2", "HC3"] | None = None,
        maxlags: int | None = None,
        time: Any = None,
        information: Literal["expected", "observed"] | None = None,
        correction: Literal["sandwich", "statsmodels", "stata", "fixest"] = "sandwich",
        cadjust: bool = True,
        data: Any = None,
    ) -> Self:
        """The same fits with another covariance each, as `Results.robust` gives it to one.

        Each segment by itself: its own rows, clusters and corrections. One that has no such
        covariance (one cluster only, no more observations than coefficients) has nan for its
        standard errors, and `notes` say how many there are and why. HC2 and HC3 of clusters are
        made one by one, in some milliseconds each.

        Parameters
        ----------
        cov_type, cluster, type, maxlags, time, information, correction, cadjust, data
            As for `Results.robust`; vectors have a value per row of all segments.

        Raises
        ------
        DataError, ValueError
            As `Results.robust`, for what concerns all segments.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {
        ...     "shop": ["a"] * 5 + ["b"] * 5,
        ...     "week": [0, 1, 2, 3, 4] * 2,
        ...     "sold": [1, 2, 4, 7, 9, 9, 3, 1, 0, 1],
        ... }
        >>> fits = jg.fit_groups("sold ~ week", table, by="shop", family="poisson")
        >>> fits.robust("HC1").bse.round(3)
              Intercept   week
        shop
        a         0.161  0.055
        b         0.144  0.309
        """
        choice = CovarianceChoice.of(
            cov_type,
            cluster=cluster,
            type=type,
            maxlags=maxlags,
            time=time,
            information=information or information_of(self.fits.covariance),
            correction=correction,
            cadjust=cadjust,
        )
        if choice.is_default:
            return self._with(self.fits.covariance.expected, None, ())
        refuse_idle_table(data, choice.names_a_column)
        if self.model.dataset is None:
            raise DataError(
                "robust() needs the rows of the fits, and these results hold none: "
                f"{self.model.why_no_rows}. Ask for the covariance with the fits, as "
                "fit_groups(..., cov_type=, cluster=): it is saved with them."
            )
        return self.with_covariance(
            self.read(choice, lambda name: column_of_fit(self.model, name, data))
        )

    def read(self, choice: CovarianceChoice, column: Callable[[str], Any]) -> Asked:
        """A choice with the rows of all; those of segments without a fit take no part in it."""
        held, segments = self.model.held("robust()"), self._segments
        assert segments is not None
        of_rows = segments.of_rows
        inside = (of_rows >= 0) & self.fits.fitted[of_rows]
        return choice.read(held, column, held.rows.live & inside)

    def with_covariance(self, asked: Asked) -> Self:
        """The same fits with the covariance that was asked for, read with the rows of all."""
        refuse_penalised(self.model, "Segments have the covariance of their model only")
        segments = self._segments
        assert segments is not None

        def alone(g: int) -> Covariance | str:
            one = self._one(g)
            rows = one.model.held("robust()")
            estimated = Estimated.of(one.fit, one.family, rows)
            try:
                return covariance_of(estimated, asked.take(self._places(g)))
            except DataError as error:
                return str(error)

        # In float64, whatever the arithmetic of the fits was.
        source = Resident(segments.problem.block, np.dtype(np.float64))
        problem = dataclasses.replace(segments.problem, source=source)
        segments = dataclasses.replace(segments, problem=problem)
        found = covariances_of(segments, self.model.family, self.fits, asked, alone)
        return self._with(found.covariance, asked, self._told(found))

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_asked": None}

    def _one(self, g: int) -> Results:
        one = super()._one(g)
        if self._asked is not None and one.model.dataset is not None:
            one._asked = self._asked.take(self._places(g))
        return one

    def _with(self, covariance: Covariance, asked: Asked | None, notes: tuple[str, ...]) -> Self:
        other = copy.copy(self)
        other._asked = asked
        other.fits = dataclasses.replace(self.fits, covariance=covariance)
        # What was said of another covariance holds no more.
        others = [note for note in self.notes if note not in self._of_covariance]
        other.notes, other._of_covariance = (*others, *notes), notes
        return other

    def _told(self, found: ManyCovariances) -> tuple[str, ...]:
        """Which segments have no such covariance, by reason, or one of which more is to be said."""
        by_reason: dict[str, list[int]] = {}
        for g, why in found.lacking.items():
            by_reason.setdefault(f"no such standard errors: {why.rstrip('.')}", []).append(g)
        of = by_reason | {what: which.tolist() for what, which in found.remarks.items()}
        return tuple(self.note_on(which, ("has", "have"), what) for what, which in of.items())

    @abc.abstractmethod
    def _places(self, g: int) -> np.ndarray:
        """Where the rows of a segment stand among all."""

"""Owns how the results of many segments are given other covariances."""

import abc
import copy
import dataclasses
from typing import Any, Literal, Self

import numpy as np

from jaxglm._status import DataError
from jaxglm.algebra import Covariance
from jaxglm.inference import (
    Asked,
    CovarianceChoice,
    Estimated,
    column_of_fit,
    covariance_of,
    covariances_of,
)
from jaxglm.results._many import ManyResults
from jaxglm.results._one import Results
from jaxglm.rows import Segments
from jaxglm.sources import Resident
from jaxglm.words import understands_habits

_MOST_NAMED = 3


class RobustSegments(ManyResults):
    """The same fits of segments with other standard errors."""

    _segments: Segments | None
    _asked: Asked | None = None

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
        information: Literal["expected", "observed"] = "expected",
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
            information=information,
            correction=correction,
            cadjust=cadjust,
        )
        if choice.is_default:
            return self._with(self.fits.covariance.expected, None, ())
        held = self.model.held("robust()")
        asked = choice.read(held, lambda name: column_of_fit(self.model, name, data))
        return self.with_covariance(asked)

    def with_covariance(self, asked: Asked) -> Self:
        """The same fits with the covariance that was asked for, read with the rows of all."""
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
        return self._with(found.covariance, asked, self._told(found.lacking))

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
        other.notes = (*self.notes, *notes)
        return other

    def _told(self, lacking: dict[int, str]) -> tuple[str, ...]:
        """Which segments have no such covariance, by reason."""
        by_reason: dict[str, list[int]] = {}
        for g, why in lacking.items():
            by_reason.setdefault(why.rstrip("."), []).append(g)
        notes = []
        for why, which in by_reason.items():
            first = ", ".join(repr(self.keys[g]) for g in which[:_MOST_NAMED])
            more = ", ..." if len(which) > _MOST_NAMED else ""
            have = "segment has" if len(which) == 1 else "segments have"
            notes.append(f"{len(which):,} {have} no such standard errors ({first}{more}): {why}.")
        return tuple(notes)

    @abc.abstractmethod
    def _places(self, g: int) -> np.ndarray:
        """Where the rows of a segment stand among all."""

"""Owns the covariance that was asked for with a fit: given to it, and to other fits of its rows."""

import dataclasses
from typing import Self

from jaxglm._status import DataError, DataWarning
from jaxglm.inference import (
    BESIDE_REDUCED,
    Asked,
    Estimated,
    covariance_of,
    is_robust,
    refuse_penalised,
)
from jaxglm.intake import Dataset
from jaxglm.results._rowwise import RowAnswers
from jaxglm.search import PROXIMAL, REDUCED
from jaxglm.words import listed, warn


class AskedCovariance(RowAnswers):
    """What was asked for has a cluster, or a time, of each row: it is kept as long as the rows."""

    _asked: Asked | None = None

    def with_covariance(self, asked: Asked, rows: Dataset | None = None) -> Self:
        """The same fit with the covariance that was asked for, read with the rows of the fit.

        `rows` are those where the result does not hold them.
        """
        if self.model.penalty and (asked.information == "observed" or self.fit.method == PROXIMAL):
            what = "The observed information" if self.fit.method != PROXIMAL else "A covariance"
            refuse_penalised(self.model, f"{what} is not for a fit with this penalty")
        spec = self.model.spec
        random = [] if spec is None else [t for t in spec.shrunk if spec.is_random(t)]
        if random and asked.kind != "nonrobust":
            raise DataError(
                f"A sandwich takes the effects of {listed(random, 3)} as if they were known: its "
                "errors would be too small. The model's own have the variance of these effects; "
                "for clusters without a random effect leave it out of the formula"
            )
        held = self.model.held("robust()") if rows is None else rows
        estimated = Estimated.of(self.fit, self.family, held)
        covariance = covariance_of(estimated, asked)
        if self.fit.method == REDUCED and is_robust(covariance):
            note = f"With bias='firth' {BESIDE_REDUCED}."
            covariance = dataclasses.replace(covariance, notes=(*covariance.notes, note))
        fit = dataclasses.replace(self.fit, covariance=covariance)
        other = self._with_covariance_of(fit)
        other._asked = asked
        return other

    def _as_asked(self, other: Self) -> Self:
        """Another fit of the same rows with the covariance that was asked for with this one.

        Where it cannot have that, a warning says so.
        """
        kind, why = self.fit.covariance.kind, "it is not known what that was made of"
        if kind == "nonrobust":
            return other
        if self._asked is not None:
            try:
                return other.with_covariance(self._asked)
            except DataError as error:
                why = str(error).rstrip(".")
        warn(
            f"The standard errors of the new fit are those of its model, and not of the kind of "
            f"this one ({kind}): {why}.",
            DataWarning,
        )
        return other

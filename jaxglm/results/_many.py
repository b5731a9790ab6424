"""Owns what the results of many fits have in common: how each ended, and each as an own result."""

import abc
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
import pandas as pd

from jaxglm._status import DataError, Status
from jaxglm.diagnostics import RowFacts
from jaxglm.families import Family
from jaxglm.intake import Dataset, Model
from jaxglm.lanes import Fits, _failures
from jaxglm.results._copies import Copied
from jaxglm.results._file import save_fits
from jaxglm.results._many_estimates import GLANCED, GroupEstimates
from jaxglm.results._one import Results
from jaxglm.results._plots import PlottedMany
from jaxglm.words import key_text, listed, no_attribute, understands_habits

_STATUS = np.array(list(Status), dtype=object)
_MOST_NAMED = 3


class ManyResults(GroupEstimates, PlottedMany, Copied, abc.ABC):
    """The base of `GroupResults` and `ResponseResults`.

    Attributes
    ----------
    keys : Index or MultiIndex
        What names each fit.
    model : Model
        What the fits were of.
    fits : Fits
        The arrays of all fits.
    notes : tuple of str
        What has to be said about the data as a whole.
    """

    # What each fit is of, in words.
    unit: str

    def __init__(
        self,
        fits: Fits,
        model: Model,
        keys: pd.Index,
        native: str,
        notes: tuple[str, ...],
        facts: Mapping[int, RowFacts] | None,
    ):
        super().__init__(fits, model, keys, native)
        self.notes = notes
        self._saved_facts = facts or {}

    def __getattr__(self, name: str) -> Any:
        if name in GLANCED and not hasattr(type(self), name):
            words = f"{type(self).__name__} has no {name!r}: write glance()[{name!r}]"
            raise AttributeError(words, name=name, obj=self)
        no_attribute(self, name, "results[key]", Results)

    # -- how the fits ended ----------------------------------------------------------------------

    @property
    def status(self) -> pd.Series:
        """How each fit ended; `INVALID` for one whose rows could not be fitted."""
        return pd.Series(_STATUS[self.fits.scalars["status"]], index=self.keys, name="status")

    @property
    def converged(self) -> pd.Series:
        """Whether the coefficients are an optimum (one on the boundary included)."""
        return pd.Series(self.fits.usable, index=self.keys, name="converged")

    @functools.cached_property
    def failed(self) -> pd.Series:
        """What went wrong, in words, for the fits that are no ordinary optimum.

        Levels of a factor that a segment merely lacks are aliased there, and no failure.
        """
        which = _failures.failed(self.fits)
        texts = [" ".join(_failures.notes(self.fits, self.model.names, int(g))) for g in which]
        return pd.Series(texts, index=self.keys[which], name="failed", dtype=object)

    @understands_habits
    def counts(self) -> pd.Series:
        """Number of fits of each kind, by what was the gravest in each.

        Kinds: `ordinary, bias reduced` (by ``bias="firth"`` or ``on_separation="firth"``),
        `essentially perfect` (no dispersion is left to estimate), `rank deficient, at a boundary,
        separated, not converged, not fitted`; all but the first two are in `failed`.
        """
        return pd.Series(_failures.counts(self.fits), name=f"{self.unit}s")

    # -- one fit ---------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys)

    def __contains__(self, key: Any) -> bool:
        return self._position(key) is not None

    def __getitem__(self, key: Any) -> Results:
        """One result, by its key: the value of a segment, or values where several columns make it.

        Raises
        ------
        KeyError
            For what was not in the data.
        DataError
            For one whose rows could not be fitted; the message says why.
        """
        g = self._position(key)
        if g is None:
            first = ", ".join(repr(key) for key in self.keys[:3])
            more = ", ..." if len(self) > 3 else ""
            raise KeyError(f"no {self.unit} {key!r}; there are {len(self):,} ({first}{more})")
        return self._one(g)

    def items(self) -> Iterator[tuple[Any, Results]]:
        """Keys with their results; those whose rows could not be fitted are left out."""
        for g in np.flatnonzero(self.fits.fitted):
            yield self.keys[g], self._one(int(g))

    @understands_habits
    def save(self, path: str | PathLike[str]) -> None:
        """Write all fits to one file without their data; `jaxglm.load(path)` reads it.

        The file holds arrays and a JSON header, no pickled objects and no code. What the summary
        and the overdispersion of each fit need of its rows is computed and saved with it. A file
        that was there is replaced once the new one is whole and on the disk.

        Raises
        ------
        DataError
            When the model or the keys cannot be written without code, or there is no such folder.
        OSError
            When the file cannot be written, as on a full disk; its `filename` is the path.
        """
        save_fits(
            path,
            self.fits,
            self.model,
            self.keys,
            native=self.native,
            notes=self.notes,
            facts=self._known_facts,
            unit=self.unit,
        )

    def __repr__(self) -> str:
        what = self.model.formula or f"{self.model.y_name} on {len(self.names)} columns".lstrip()
        family = f"{self.model.family.name}/{self.model.family.link.name}"
        counts = _failures.counts(self.fits)
        parts = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        return (
            f"<jaxglm.{type(self).__name__}: {what}, {family}, {len(self):,} {self.unit}s: "
            f"{', '.join(parts)}>"
        )

    @understands_habits
    def without_data(self) -> Self:
        """The same results without the rows of the fits, as ``keep_data=False`` gives them.

        What the summary and the overdispersion of each fit need of its rows is computed before;
        not where the user has changed the rows since.
        """
        other = object.__new__(type(self))  # as a pickled one: without rows
        other.__dict__ |= self.__getstate__()
        other.model = self.model.without_rows(let_go=True)
        return other

    def __getstate__(self) -> dict[str, Any]:
        state = {"fits": self.fits, "model": self.model.without_rows(let_go=False)}
        state |= {"keys": self.keys, "notes": self.notes, "native": self.native}
        return state | {"_saved_facts": self._known_facts}

    @property
    def _known_facts(self) -> Mapping[int, RowFacts]:
        """The facts on the rows of each fit, from the rows or kept from when they were there.

        There are none where the user has changed the rows.
        """
        if self.model.dataset is None:
            return self._saved_facts
        try:
            return self._facts_of_all()
        except DataError:
            return {}

    def _position(self, key: Any) -> int | None:
        try:
            place = self.keys.get_loc(key)
        except (KeyError, TypeError, pd.errors.InvalidIndexError):
            return None
        # A part of a key is none: pandas would find a run of them.
        return int(place) if isinstance(place, int | np.integer) else None

    def _one(self, g: int) -> Results:
        if self.fits.scalars["status"][g] == Status.INVALID:
            why = self.fits.words[g].notes[0]
            raise DataError(f"{self.unit} {key_text(self.keys[g])} has no fit: {why}")
        fit = self.fits.one(g)
        notes = (
            *_failures.notes(self.fits, self.model.names, g),
            *fit.notes,
            *_failures.lacking(self.fits, self.model.names, g, self.unit),
        )
        held = self.model.dataset
        model = dataclasses.replace(
            self.model,
            family=self._family(g),
            y_name=self._y_name(g),
            dataset=None if held is None else self._rows_of(g, held),
        )
        return Results(dataclasses.replace(fit, notes=notes), model, self._saved_facts.get(g))

    def note_on(self, which: Sequence[int], verb: tuple[str, str], what: str) -> str:
        """A sentence on some fits: how many, the first of them, and what is so of them.

        The verb is that of one and that of many; `what` has a colon in it.
        """
        noun = f"{self.unit} {verb[0]}" if len(which) == 1 else f"{self.unit}s {verb[1]}"
        first = listed([key_text(self.keys[g]) for g in which], _MOST_NAMED)
        told, _, why = what.partition(": ")
        return f"{len(which):,} {noun} {told} ({first}): {why}."

    def _family(self, g: int) -> Family:
        """The family of one fit, with its own shape where that was estimated."""
        if not self.fits.shaped[g]:
            return self.model.family
        # A shape that could not be estimated: the coefficients are those of alpha = 0.
        alpha: dict[str, Any] = {"alpha": float(np.nan_to_num(self.fits.scalars["alpha"][g]))}
        return dataclasses.replace(self.model.family, **alpha)

    def _y_name(self, g: int) -> str:
        """The response of one fit."""
        return self.model.y_name

    @abc.abstractmethod
    def _rows_of(self, g: int, held: Dataset) -> Dataset:
        """The rows of one fit, of those of all."""

    @abc.abstractmethod
    def _facts_of_all(self) -> dict[int, RowFacts]:
        """The facts on the rows of each fit, by position."""

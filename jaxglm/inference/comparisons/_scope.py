"""Owns the models that a choice of terms is made among: subsets of the columns on the same rows."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from jaxglm.families import NegativeBinomial
from jaxglm.inference.comparisons._submodels import Submodel, Submodels, check_optimum, record
from jaxglm.inference.comparisons._terms import Terms
from jaxglm.inference.covariances._dispersion import with_dispersion_of
from jaxglm.intake import Model, with_further
from jaxglm.io import TermsSpec, reduced_codings
from jaxglm.rows import Problem
from jaxglm.search import Fit, Note


@dataclasses.dataclass
class Scope:
    """The terms that there are, and a model of some of them.

    Attributes
    ----------
    whole : Model
        Of all terms that there are, with its rows.
    terms : Terms
    fits : Submodels
        At the family of the model at hand.
    chosen : list of int
        The terms of the model at hand.
    fit : Fit
        Its record, in its own columns.
    model : Model
    notes : sequence of Note
        What is to be said of its fit, where that was made here.
    """

    whole: Model
    terms: Terms
    fits: Submodels
    chosen: list[int]
    fit: Fit
    model: Model
    notes: Sequence[Note] = ()

    @classmethod
    def of(cls, fit: Fit, model: Model, what: str, scope: Any = None, data: Any = None) -> "Scope":
        """With the terms of a fit, and those of a scope that are read from data.

        Raises
        ------
        DataError
            As `Submodels.of` and `with_further`.
        """
        check_optimum(fit, model, what)
        whole = model if scope is None else with_further(model, scope, data, what)
        held = whole.held(what)
        place = {name: j for j, name in enumerate(whole.names)}
        start = np.zeros(len(whole.names))
        start[[place[name] for name in model.names]] = np.nan_to_num(fit.coef)
        problem = Problem.of_block(held.block, held.order, np.dtype(np.float64))
        fits = Submodels(problem, model.family, whole.names, start)
        terms, own = Terms.of(whole), Terms.of(model)
        chosen = [terms.parts.index(parts) for parts in own.parts]
        if held.dtype == np.float64:
            fits.know(terms.mask(chosen), fit)
        return cls(whole, terms, fits, sorted(chosen), fit, model)

    @property
    def current(self) -> Submodel:
        """The model at hand."""
        return self.fits.fit(self.terms.mask(self.chosen))

    def without(self, term: int) -> Submodel:
        """The model at hand less a term."""
        return self.fits.fit(self.terms.mask(i for i in self.chosen if i != term))

    def beside(self, term: int) -> Submodel:
        """The model at hand and a further term."""
        return self.fits.fit(self.terms.mask([*self.chosen, term]), self.current.coef)

    @property
    def droppable(self) -> list[int]:
        """Terms of the model at hand that it can go without, as a formula without them would."""
        can = self.terms.droppable(self.chosen)
        return [i for i in can if self._is_of_a_formula([j for j in self.chosen if j != i])]

    @property
    def addable(self) -> list[int]:
        """Terms that the model at hand can have as well, as a formula with them would."""
        can = self.terms.addable(self.chosen)
        return [i for i in can if self._is_of_a_formula([*self.chosen, i])]

    def _is_of_a_formula(self, chosen: Collection[int]) -> bool:
        """Whether a formula of some terms codes them as they are coded among all."""
        spec = self.whole.spec
        if spec is None:
            return True
        wanted = {self.terms.parts[i] for i in chosen}
        some = [
            term
            for term, parts in zip(spec.terms, _parts(self.whole), strict=True)
            if not parts or parts in wanted
        ]
        factors = [i for i, own in enumerate(spec.components) if own.kind != "numeric"]
        codings = reduced_codings([term.components for term in some], factors)
        return codings == [term.reduced for term in some]

    def move(self, chosen: Collection[int]) -> "Scope":
        """With another model at hand, a negative binomial shape estimated anew."""
        chosen = sorted(chosen)
        keep = self.terms.mask(chosen)
        found = self.fits.fit(keep)
        model = self._model(chosen)
        family: Any = self.whole.family
        if self.fit.alpha is not None:
            assert isinstance(family, NegativeBinomial)
            family = dataclasses.replace(family, alpha=None)
        problem = self.fits.columns(keep)
        fit, family, notes = record(problem, family, model.names, found.coef[keep])
        fit = with_dispersion_of(fit, self.fit, family, model.held("step()"))
        fits = self.fits
        if self.fit.alpha is not None:
            fits = Submodels(fits.problem, family, fits.names, fits.start)
            fits.know(keep, fit)
        return dataclasses.replace(
            self,
            chosen=chosen,
            fit=fit,
            model=dataclasses.replace(model, family=family),
            fits=fits,
            notes=notes,
        )

    def _model(self, chosen: Sequence[int]) -> Model:
        """What is known of a model of some terms: its names, recipe and rows."""
        whole, terms = self.whole, self.terms
        keep = terms.mask(chosen)
        wanted = {terms.parts[i] for i in chosen}
        slices, end, own = [], 0, []
        for (label, columns), parts in zip(whole.terms, _parts(whole), strict=True):
            if not keep[columns].any():
                continue
            own.append(parts)
            width = columns.stop - columns.start
            slices.append((label, slice(end, end + width)))
            end += width
        names = tuple(name for name, kept in zip(whole.names, keep, strict=True) if kept)
        spec = None if whole.spec is None else _recipe(whole.spec, wanted, names)
        formula = None
        if spec is not None and self.model.spec is not None:
            offsets = self.model.spec.offsets
            formula = _formula(self.model.formula or "", offsets, spec)
            spec = dataclasses.replace(spec, formula=formula, offsets=offsets)
        held = whole.held("step()")
        problem = Problem.of_block(held.block, held.order, np.dtype(np.float64)).take_columns(keep)
        dataset = held
        if not keep.all():
            dataset = dataclasses.replace(
                held,
                block=problem.block,
                order=problem.order,
                fingerprint=None,
                in_place=False,
            )
        return dataclasses.replace(
            whole,
            names=names,
            terms=tuple(slices),
            spec=spec,
            formula=formula,
            dataset=dataset,
        )


def _parts(model: Model) -> list[frozenset[str]]:
    """What is multiplied in each term, the intercept among them."""
    if model.spec is None:
        return [frozenset([label]) for label, _ in model.terms]
    texts = [component.text for component in model.spec.components]
    return [frozenset(texts[i] for i in term.components) for term in model.spec.terms]


def _recipe(
    spec: TermsSpec, wanted: Collection[frozenset[str]], names: tuple[str, ...]
) -> TermsSpec:
    """The recipe of some terms and the intercept, with what they are made of and no more."""
    texts = [component.text for component in spec.components]
    terms = [
        term
        for term in spec.terms
        if not term.components or frozenset(texts[i] for i in term.components) in wanted
    ]
    used = sorted({i for term in terms for i in term.components})
    place = {i: position for position, i in enumerate(used)}
    return dataclasses.replace(
        spec,
        components=tuple(spec.components[i] for i in used),
        terms=tuple(
            dataclasses.replace(term, components=tuple(place[i] for i in term.components))
            for term in terms
        ),
        names=names,
    )


def _formula(old: str, offsets: Sequence[str], spec: TermsSpec) -> str:
    """The formula of a recipe, with the left side and the offsets of another."""
    texts = [component.text for component in spec.components]
    terms = [":".join(texts[i] for i in term.components) for term in spec.terms]
    own = [term for term in terms if term]
    if "" not in terms:
        own = ["0", *own]
    right = " + ".join([*(own or ["1"]), *offsets])
    return f"{old.partition('~')[0].strip()} ~ {right}"

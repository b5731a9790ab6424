"""Owns the terms of a model: which columns each has, and which of them are parts of others."""

import dataclasses
from collections.abc import Collection, Iterable

import numpy as np

from jaxglm.inference._effects import is_intercept
from jaxglm.intake import Model


@dataclasses.dataclass(frozen=True)
class Terms:
    """The terms of a model without its intercept, which is in all models.

    Attributes
    ----------
    labels : tuple of str
    columns : tuple of slice
        The columns of each, in public order.
    parts : tuple of frozenset of str
        What is multiplied in each: a term whose parts are among those of another is marginal to it.
    base : [p] bool
        Columns of no term: the intercept.
    """

    labels: tuple[str, ...]
    columns: tuple[slice, ...]
    parts: tuple[frozenset[str], ...]
    base: np.ndarray

    @classmethod
    def of(cls, model: Model) -> "Terms":
        """Those of a formula; of a fit of arrays each column is a term."""
        base = np.zeros(len(model.names), bool)
        parts: list[tuple[str, ...]]
        if model.spec is None:
            parts = [() if is_intercept(name) else (name,) for name, _ in model.terms]
        else:
            texts = [component.text for component in model.spec.components]
            parts = [tuple(texts[i] for i in term.components) for term in model.spec.terms]
        labels, slices, sets = [], [], []
        for (label, columns), own in zip(model.terms, parts, strict=True):
            if not own:
                base[columns] = True
                continue
            labels.append(label)
            slices.append(columns)
            sets.append(frozenset(own))
        return cls(tuple(labels), tuple(slices), tuple(sets), base)

    @property
    def all(self) -> range:
        """The positions of all terms."""
        return range(len(self.labels))

    def mask(self, chosen: Iterable[int]) -> np.ndarray:
        """The columns of some terms and the intercept, [p] bool."""
        keep = self.base.copy()
        for i in chosen:
            keep[self.columns[i]] = True
        return keep

    def own(self, term: int) -> np.ndarray:
        """The columns of one term, [p] bool."""
        return self.mask([term]) & ~self.base

    def containing(self, term: int, among: Collection[int]) -> list[int]:
        """Those that a term is marginal to, as `a` is to `a:b`."""
        return [j for j in among if self.parts[term] < self.parts[j]]

    def droppable(self, chosen: Collection[int]) -> list[int]:
        """Of a model's terms, those that are marginal to none of its others."""
        return [i for i in chosen if not self.containing(i, chosen)]

    def addable(self, chosen: Collection[int]) -> list[int]:
        """Terms that a model lacks, and that have all which is marginal to them in it."""
        missing = [i for i in self.all if i not in chosen]
        return [i for i in missing if not any(self.parts[j] < self.parts[i] for j in missing)]

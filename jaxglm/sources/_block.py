"""Owns the block: what one visit to some rows brings along."""

import dataclasses

import jax

from jaxglm.designs import Design


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Block:
    """Rows with their design, response and weights.

    Attributes
    ----------
    design : Design
        The columns.
    y : [n]
        The response; proportions for the binomial family.
    weight : [n]
        Frequency times prior weight times trials. Weight 0 is padding or a row left out: every mask
        in the library is a weight.
    offset : [n] or None
        Added to the linear predictor.
    freq : [n] or None
        Frequency weights: how many observations the row stands for.
    trials : [n] or None
        Binomial trials behind each proportion.
    """

    design: Design
    y: jax.Array
    weight: jax.Array
    offset: jax.Array | None = None
    freq: jax.Array | None = None
    trials: jax.Array | None = None

    def beside(self, common: "Block | None") -> "Block":
        """The block with what it leaves out taken from another one."""
        if common is None:
            return self
        fields = (field.name for field in dataclasses.fields(self))
        own = {name: getattr(self, name) for name in fields}
        return dataclasses.replace(common, **{k: v for k, v in own.items() if v is not None})

    def linear_predictor(self, beta: jax.Array) -> jax.Array:
        """X beta + offset."""
        eta = self.design.matvec(beta)
        return eta if self.offset is None else eta + self.offset

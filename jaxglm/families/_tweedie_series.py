"""Owns the Tweedie density, as a series summed around its largest terms. Imports special functions.

For 1 < p < 2 a response is the sum of j gamma amounts, j a Poisson number, so its density is the
sum over j of Poisson(j) times gamma density (Dunn & Smyth 2005, section 4).
"""

import jax
import jax.numpy as jnp
from jax import Array

from jaxglm._special import LOG_SQRT_2PI
from jaxglm.families._gamma import log_gamma
from jaxglm.families._inverse_gaussian import log_inverse_gaussian
from jaxglm.families._poisson import log_poisson

# The terms fall off as a normal density with standard deviation s = sqrt(j (p - 1)) around the
# mode j = y^(2-p)/(phi (2-p)); 8.5 s on each side leave out less than 1e-15. For few terms the
# right tail is a Poisson tail, which 20 more terms cover.
_HALF_WIDTH = 8.5
_EXTRA = 20.0
# A sum over every h-th integer equals the sum over all, over h, to a relative error of
# exp(-2 pi^2 s^2/h^2) (Poisson summation): below 1e-15 for h = 3/4 s.
_STRIDE = 0.75
# Modes up to here are summed from j = 1, with one Gamma function per j for all rows.
_FEW = 20.0


def log_density(y: Array, mu: Array, dispersion: Array, power: Array) -> Array:
    """Log density of a Tweedie response; nan where the power allows no closed form.

    Parameters
    ----------
    y, mu, dispersion : [n]
        Response, mean and dispersion (already divided by the prior weight) of each row.
    power : scalar
        Of the variance function.
    """
    compound = (power > 1) & (power < 2)
    y, mu, dispersion = jnp.broadcast_arrays(y, mu, dispersion)
    positive = y > 0
    safe_y = jnp.where(positive, y, 1.0)
    safe_mu = jnp.where(mu > 0, mu, 1.0)
    series = _compound(y, safe_mu, dispersion, jnp.where(compound, power, 1.5))
    gaussian = -0.5 * (jnp.square(y - mu) / dispersion + jnp.log(dispersion)) - LOG_SQRT_2PI
    return jnp.select(
        [compound, power == 0, power == 1, power == 2, power == 3],
        [
            series,
            gaussian,
            log_poisson(y / dispersion, mu / dispersion),
            log_gamma(safe_y, safe_mu, dispersion),
            log_inverse_gaussian(safe_y, safe_mu, dispersion),
        ],
        jnp.nan,
    )


def _compound(y: Array, mu: Array, dispersion: Array, power: Array) -> Array:
    rate = mu ** (2.0 - power) / (dispersion * (2.0 - power))
    positive = y > 0
    safe = jnp.where(positive, y, 1.0)
    mode = jnp.maximum(safe ** (2.0 - power) / (dispersion * (2.0 - power)), 1.0)
    few = mode <= _FEW
    from_one = _sum_from_one(safe, mu, dispersion, power, rate, jnp.where(few, mode, 1.0))
    # Large modes are rare in data and costlier: their branch runs where there are any.
    around = jax.lax.cond(
        jnp.any(positive & ~few),
        lambda: _sum_around(safe, mu, dispersion, power, rate, jnp.where(few, 1.0, mode)),
        lambda: jnp.zeros_like(safe),
    )
    return jnp.where(positive, jnp.where(few, from_one, around), -rate)


def _last_term(mode: Array, power: Array) -> Array:
    return jnp.ceil(mode + _HALF_WIDTH * jnp.sqrt(mode * (power - 1.0)) + _EXTRA)


def _sum_from_one(
    y: Array, mu: Array, dispersion: Array, power: Array, rate: Array, mode: Array
) -> Array:
    """The series from its first term; for each row a multiply-add and an exponential per term."""
    # Term j is z^j / (j! Gamma(j shape)), times exp((y theta - kappa)/phi)/y.
    shape = (2.0 - power) / (power - 1.0)
    log_z = (
        shape * (jnp.log(y) - jnp.log(power - 1.0))
        - (1.0 + shape) * jnp.log(dispersion)
        - jnp.log(2.0 - power)
    )

    def log_term(j: Array) -> Array:
        return j * log_z - jax.lax.lgamma(j + 1.0) - jax.lax.lgamma(j * shape)

    largest = log_term(jnp.round(mode))
    last = jnp.max(_last_term(mode, power))

    def add(state: tuple[Array, Array]) -> tuple[Array, Array]:
        j, total = state
        return j + 1.0, total + jnp.exp(log_term(j) - largest)

    one = jnp.ones_like(power)
    _, total = jax.lax.while_loop(lambda s: s[0] <= last, add, (one, jnp.zeros_like(y)))
    theta = mu ** (1.0 - power) / (1.0 - power)
    return largest + jnp.log(total) - jnp.log(y) + y * theta / dispersion - rate


def _sum_around(
    y: Array, mu: Array, dispersion: Array, power: Array, rate: Array, mode: Array
) -> Array:
    """The series on a strided window around its mode.

    Each term is the log Poisson probability of j plus the log density of a gamma variable with
    shape j a and mean j a scale, both exact where their parts are large.
    """
    shape = (2.0 - power) / (power - 1.0)
    scale = dispersion * (power - 1.0) * mu ** (power - 1.0)
    spread = jnp.sqrt(mode * (power - 1.0))
    stride = jnp.maximum(jnp.floor(_STRIDE * spread), 1.0)
    first = jnp.maximum(jnp.round(mode) - stride * jnp.ceil(_HALF_WIDTH * spread / stride), 1.0)
    steps = jnp.max(jnp.ceil((_last_term(mode, power) - first) / stride))

    def log_term(j: Array) -> Array:
        return log_poisson(j, rate) + log_gamma(y, j * shape * scale, 1.0 / (j * shape))

    largest = log_term(jnp.round(mode))

    def add(state: tuple[Array, Array]) -> tuple[Array, Array]:
        i, total = state
        return i + 1.0, total + jnp.exp(log_term(first + i * stride) - largest)

    zero = jnp.zeros_like(power)
    _, total = jax.lax.while_loop(lambda s: s[0] <= steps, add, (zero, jnp.zeros_like(y)))
    return largest + jnp.log(total * stride)

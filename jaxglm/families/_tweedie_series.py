"""Owns the normaliser of the Tweedie density.

A Tweedie density is exp(-d(y, mu) / (2 phi)), d the unit deviance, times a function of y and phi
alone, the normaliser. For 1 < p < 2 a response is the sum of j gamma amounts, j a Poisson number,
and the normaliser a sum over j (Dunn & Smyth 2005, section 4). Here each term of that sum has
Stirling's formula taken out of its two Gamma functions, so that no large numbers cancel:

1/(2 pi y) sqrt(a) sum_j exp(-(1 + a) G(m, j) - S(j) - S(a j)),

with a = (2-p)/(p-1), m = y^(2-p)/(phi (2-p)) the mode, G(m, j) = m - j - j log(m/j), and S what
Stirling's formula leaves of log Gamma.
"""

import jax
import jax.numpy as jnp
from jax import Array

from jaxglm.families._tabulated import tabulated
from jaxglm.links._special import LOG_SQRT_2PI, scaled_gap, stirling_remainder

# Terms fall off like a normal density with standard deviation s = sqrt(m (p - 1)); 8.5 s on each
# side leave out less than 1e-15. For small m the right tail is a Poisson tail: 20 more terms.
_HALF_WIDTH = 8.5
_EXTRA = 20.0
# A sum over every h-th integer, times h, equals the sum over all to a relative error of
# exp(-2 pi^2 s^2/h^2) (Poisson summation): below 1e-15 for h = 3/4 s.
_STRIDE = 0.75
# Modes up to here are summed from j = 1, with the remainders S computed once for all rows.
_FEW = 20.0


def log_normaliser(y: Array, dispersion: Array, power: Array) -> Array:
    """Log density of a Tweedie response plus d(y, mu) / (2 phi).

    Parameters
    ----------
    y, dispersion : [n]
        Response and dispersion, already divided by the prior weight, of each row.
    power : scalar
        Of the variance function.

    Returns
    -------
    [n]
        nan for powers above 2 but 3, and for those between 0 and 1: no closed form, no density.
    """
    compound = (power > 1) & (power < 2)
    positive = y > 0
    safe = jnp.where(positive, y, 1.0)
    log_y, half_log = jnp.log(safe), -LOG_SQRT_2PI - 0.5 * jnp.log(dispersion)
    # Poisson counts y/phi at power 1, gamma shape 1/phi at power 2.
    remainder = stirling_remainder(jnp.where(power == 1, dispersion / safe, dispersion))
    values = jnp.select(
        [compound, power == 0, power == 1, power == 2, power == 3],
        [
            _log_series(safe, dispersion, jnp.where(compound, power, 1.5)) - log_y,
            half_log,
            -2.0 * LOG_SQRT_2PI - half_log - 0.5 * log_y - remainder,
            half_log - log_y - remainder,
            half_log - 1.5 * log_y,
        ],
        jnp.nan,
    )
    # A zero is a Poisson number of 0: its probability is exp(-d/(2 phi)).
    return jnp.where(positive | (power == 0), values, 0.0)


def _log_series(y: Array, dispersion: Array, power: Array) -> Array:
    a = (2.0 - power) / (power - 1.0)
    log_mode = (2.0 - power) * jnp.log(y) - jnp.log(dispersion * (2.0 - power))
    total = tabulated(lambda log: _log_sum(jnp.exp(log), a), log_mode)
    return total + 0.5 * jnp.log(a) - 2.0 * LOG_SQRT_2PI


def _log_sum(mode: Array, a: Array) -> Array:
    few = mode <= _FEW
    total = _sum_from_one(jnp.where(few, mode, 1.0), a)
    # Its branch runs where a row of the block needs it.
    many = jax.lax.cond(
        jnp.any(~few),
        lambda: _sum_around(jnp.where(few, _FEW, mode), a),
        lambda: jnp.zeros_like(total),
    )
    return jnp.where(few, total, many)


def _log_term(mode: Array, j: Array, a: Array) -> Array:
    left = stirling_remainder(1.0 / j) + stirling_remainder(1.0 / (a * j))
    return -(1.0 + a) * scaled_gap(mode, j, mode - j) - left


def _log_largest(mode: Array, a: Array) -> Array:
    """Log of about the largest term, which lies beside the mode.

    Near power 1 the terms are so narrow that all may underflow: a response between two multiples
    of the dispersion is next to impossible.
    """
    below = jnp.maximum(jnp.floor(mode), 1.0)
    return jnp.maximum(_log_term(mode, below, a), _log_term(mode, below + 1.0, a))


def _sum_from_one(mode: Array, a: Array) -> Array:
    """Log of the sum from its first term: a multiply-add and an exponential per term and row."""
    last = jnp.max(jnp.ceil(mode + _HALF_WIDTH * jnp.sqrt(mode / (1.0 + a)) + _EXTRA))
    log_mode, largest = jnp.log(mode), _log_largest(mode, a)

    def add(state: tuple[Array, Array]) -> tuple[Array, Array]:
        j, total = state
        left = stirling_remainder(1.0 / j) + stirling_remainder(1.0 / (a * j))
        gap = (mode - j) + j * (jnp.log(j) - log_mode)
        return j + 1.0, total + jnp.exp(-(1.0 + a) * gap - left - largest)

    start = (jnp.ones_like(a), jnp.zeros_like(mode))
    total = jax.lax.while_loop(lambda state: state[0] <= last, add, start)[1]
    return jnp.log(total) + largest


def _sum_around(mode: Array, a: Array) -> Array:
    """Log of the sum on a strided window around its mode."""
    spread = jnp.sqrt(mode / (1.0 + a))
    stride = jnp.maximum(jnp.floor(_STRIDE * spread), 1.0)
    first = jnp.maximum(jnp.round(mode) - stride * jnp.ceil(_HALF_WIDTH * spread / stride), 1.0)
    steps = jnp.max(jnp.ceil((mode + _HALF_WIDTH * spread + _EXTRA - first) / stride))
    largest = _log_largest(mode, a)

    def add(state: tuple[Array, Array]) -> tuple[Array, Array]:
        i, total = state
        j = first + i * stride
        return i + 1.0, total + jnp.exp(_log_term(mode, j, a) - largest)

    start = (jnp.zeros_like(a), jnp.zeros_like(mode))
    total = jax.lax.while_loop(lambda state: state[0] <= steps, add, start)[1]
    return jnp.log(stride * total) + largest

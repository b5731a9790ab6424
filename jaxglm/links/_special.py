"""Owns the special functions behind links and families, stable in the far tails.

Each is elementwise, follows the dtype of its argument, and carries its own derivative rule where
differentiating the stable form would lose the digits that the form was written to keep.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_derivatives import SymbolicZero

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


# ------------------------------------------------------------------------------- logistic
@jax.custom_jvp
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); its derivative keeps its digits where the function rounds to 1."""
    small = jnp.exp(-jnp.abs(x))
    return jnp.where(x >= 0, 1.0, small) / (1.0 + small)


@sigmoid.defjvp
def _sigmoid_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    value = sigmoid(x)
    return value, value * sigmoid(-x) * dx


@jax.custom_jvp
def both_sigmoids(x: Array) -> tuple[Array, Array]:
    """`sigmoid` of x and of -x, which add up to 1: one exponential and one division for the two."""
    small = jnp.exp(-jnp.abs(x))
    larger = 1.0 / (1.0 + small)
    smaller = small * larger
    right = x >= 0
    return jnp.where(right, larger, smaller), jnp.where(right, smaller, larger)


@both_sigmoids.defjvp
def _both_sigmoids_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    up, down = both_sigmoids(x)
    rate = up * down * dx
    return (up, down), (rate, -rate)


def _artanh_series(square: Array) -> Array:
    """artanh(r) / r from r^2 <= 1/9."""
    total = jnp.zeros_like(square)
    for k in range(15, -1, -1):
        total = total * square + 1.0 / (2 * k + 1)
    return total


@jax.custom_jvp
def log_sigmoid(x: Array) -> Array:
    """log(1 / (1 + exp(-x)))."""
    # log1p(t) = 2 artanh(r), r = t / (2 + t) <= 1/3: the series costs a quarter of the logarithm,
    # which is most of a row of a logistic fit, and is as exact.
    t = jnp.exp(-jnp.abs(x))
    r = t / (2.0 + t)
    return jnp.minimum(x, 0.0) - 2.0 * r * _artanh_series(r * r)


@log_sigmoid.defjvp
def _log_sigmoid_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return log_sigmoid(x), sigmoid(-x) * dx


# ---------------------------------------------------------------- exponential and Gumbel
def log1mexp(x: Array) -> Array:
    """log(1 - exp(x)) for x < 0 (Maechler 2012: the better of two forms on each side of -log 2)."""
    near = x > -math.log(2.0)
    return jnp.where(
        near,
        jnp.log(-jnp.expm1(jnp.where(near, x, -1.0))),
        jnp.log1p(-jnp.exp(jnp.where(near, -1.0, x))),
    )


def bounded_exp(x: Array) -> Array:
    """exp(x), held just below overflow, where functions of it have reached their limits."""
    x = jnp.asarray(x)
    return jnp.exp(jnp.minimum(x, 0.98 * math.log(float(jnp.finfo(x.dtype).max))))


@jax.custom_jvp
def log_gumbel(x: Array) -> Array:
    """log(1 - exp(-exp(x))), the log mean of the complementary log-log link."""
    # Below -37, m = exp(x) < 2^-53 and log(1 - exp(-m)) = x - m/2 to the last digit.
    tail = x < -37.0
    inner = -bounded_exp(jnp.where(tail, 0.0, x))
    return jnp.where(tail, x - 0.5 * jnp.exp(jnp.minimum(x, 0.0)), log1mexp(inner))


@log_gumbel.defjvp
def _log_gumbel_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return log_gumbel(x), gumbel_slope(x) * dx


@jax.custom_jvp
def gumbel_slope(x: Array) -> Array:
    """d/dx of `log_gumbel`: m / (exp(m) - 1) with m = exp(x)."""
    m = bounded_exp(x)
    return jnp.where(m == 0, 1.0, m / jnp.expm1(jnp.where(m == 0, 1.0, m)))


@gumbel_slope.defjvp
def _gumbel_slope_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    m = bounded_exp(x)
    slope = gumbel_slope(x)
    # slope' = slope (1 - m - slope), and slope = 1 - m/2 + sum of B_2k m^2k / (2k)!: for small m
    # the bracket is -m/2 less that sum (radius 2 pi, so seven terms are exact below 1/2).
    small = m < 0.5
    s = jnp.where(small, m, 0.0)
    s2 = s * s
    total = jnp.zeros_like(s)
    for coefficient in _BERNOULLI:
        total = (total + coefficient) * s2
    return slope, slope * jnp.where(small, -0.5 * s - total, 1.0 - m - slope) * dx


# B_2k / (2k)! for k = 7 down to 1.
_BERNOULLI = (
    1 / 74724249600,
    -691 / 1307674368000,
    1 / 47900160,
    -1 / 1209600,
    1 / 30240,
    -1 / 720,
    1 / 12,
)

# --------------------------------------------------------------------------------- normal
# The excess of the normal hazard over its argument, phi(t)/Q(t) - t for t >= 0, times (t + 1):
# Chebyshev coefficients in u = (t - 3.5)/(t + 3.5), from 60-digit values at 80 nodes. The excess
# is what is approximated since the derivative of the hazard is hazard * excess: formed by
# subtraction it would lose t^2 digits. 3.5 makes the series shortest (27 terms to 2e-17).
_HAZARD_EXCESS = (
    1.014620038996008421,
    0.07158797502149793147,
    -0.1163559598029787797,
    0.03138392117209773462,
    0.0005043367259417843857,
    -0.002030209294299655518,
    0.0001947566351306502135,
    0.0001231488770329233719,
    -0.0000227338083476416442,
    -7.570130718055891951e-6,
    1.986173158659643432e-6,
    4.845350402024988192e-7,
    -1.550270706920162262e-7,
    -3.275128840517091922e-8,
    1.121936298285969493e-8,
    2.32706466130723627e-9,
    -7.535114304189432134e-10,
    -1.691442595629887302e-10,
    4.610901709563993793e-11,
    1.203374707766508921e-11,
    -2.476067084534337482e-12,
    -7.923142557682357948e-13,
    1.092876618612607388e-13,
    4.45977022153483892e-14,
    -3.623066563103142813e-15,
    -1.804553540302455037e-15,
    1.227949517913983517e-16,
)


def _hazard_excess(t: Array) -> Array:
    """phi(t)/Q(t) - t for t >= 0, by Clenshaw's recurrence."""
    u = 1.0 - 7.0 / (t + 3.5)
    later, last = jnp.zeros_like(t), jnp.zeros_like(t)
    for coefficient in _HAZARD_EXCESS[:0:-1]:
        later, last = 2.0 * u * later - last + coefficient, later
    return (u * later - last + _HAZARD_EXCESS[0]) / (t + 1.0)


def normal_density(x: Array) -> Array:
    """phi(x) = exp(-x^2/2) / sqrt(2 pi)."""
    return math.exp(-LOG_SQRT_2PI) * jnp.exp(-0.5 * x * x)


@jax.custom_jvp
def normal_cdf(x: Array) -> Array:
    """Phi(x), to full relative precision in the left tail."""
    t = jnp.abs(x)
    upper_tail = normal_density(x) / (t + _hazard_excess(t))
    return jnp.where(x < 0, upper_tail, 1.0 - upper_tail)


@normal_cdf.defjvp
def _normal_cdf_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return normal_cdf(x), normal_density(x) * dx


@jax.custom_jvp
def log_normal_cdf(x: Array) -> Array:
    """Logarithm of Phi(x), to full relative precision in both tails."""
    t = jnp.abs(x)
    hazard = t + _hazard_excess(t)
    return jnp.where(
        x < 0,
        -0.5 * x * x - LOG_SQRT_2PI - jnp.log(hazard),
        jnp.log1p(-normal_density(x) / hazard),
    )


@log_normal_cdf.defjvp
def _log_normal_cdf_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return log_normal_cdf(x), normal_ratio(x) * dx


@jax.custom_jvp
def normal_ratio(x: Array) -> Array:
    """phi(x)/Phi(x), the derivative of `log_normal_cdf`."""
    t = jnp.abs(x)
    hazard = t + _hazard_excess(t)
    density = normal_density(x)
    return jnp.where(x < 0, hazard, density / (1.0 - density / hazard))


@normal_ratio.defjvp
def _normal_ratio_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    ratio = normal_ratio(x)
    excess = jnp.where(x < 0, _hazard_excess(jnp.abs(x)), x + ratio)
    return ratio, -ratio * excess * dx


# ------------------------------------------------------------------ deviances, likelihoods
@jax.custom_jvp
def relative_gap(a: Array, b: Array, difference: Array) -> Array:
    """a/b - 1 - log(a/b) >= 0, to full relative precision near a = b.

    Unit deviances are sums of these. `difference` is a - b, formed by the caller who knows it
    better than this function could; derivatives are taken in a and b alone.
    """
    a, b, difference = jnp.asarray(a), jnp.asarray(b), jnp.asarray(difference)
    # An infinite b stands for the limit a/b = 0.
    ratio = jnp.where(jnp.isinf(b), -1.0, difference / b)
    near = jnp.abs(ratio) < 0.5
    # log1p(x) = 2 artanh(r), r = x/(2 + x), so x - log1p(x) = x r - 2 (r^3/3 + r^5/5 + ...);
    # |r| <= 1/3 here: 16 terms.
    x = jnp.where(near, ratio, 0.0)
    r = x / (2.0 + x)
    r2 = r * r
    total = jnp.zeros_like(r)
    for odd in range(33, 1, -2):
        total = (total + 1.0 / odd) * r2
    # Far from 1 on either side one logarithm serves: of 1 + x, or of a/b where that would cancel.
    logarithm = jnp.log(jnp.where(ratio > 0, 1.0 + ratio, a / b))
    far = jnp.where(ratio < math.inf, ratio - logarithm, math.inf)
    return jnp.where(near, x * r - 2.0 * r * total, far)


@relative_gap.defjvp
def _relative_gap_jvp(primals, tangents):
    a, b, difference = primals
    da, db, _ = tangents
    slope = difference / b
    return relative_gap(a, b, difference), slope * (da / a - db / b)


def scaled_gap(a: Array, b: Array, difference: Array) -> Array:
    """The gap a - b - b log(a/b) >= 0 for b >= 0, with its limit a at b = 0; see `relative_gap`."""
    positive = b > 0
    safe = jnp.where(positive, b, 1.0)
    gap = relative_gap(jnp.where(positive, a, 1.0), safe, jnp.where(positive, difference, 0.0))
    return jnp.where(positive, b * gap, a)


def stirling_remainder(reciprocal: Array | float) -> Array:
    """What Stirling's formula leaves of log Gamma(a) at a = 1/reciprocal.

    That is log Gamma(a) - [(a - 1/2) log a - a + log(2 pi)/2], in terms of 1/a so that
    a = infinity, where it is 0, is an ordinary point.
    """
    large = reciprocal <= 0.1
    r = jnp.where(large, reciprocal, 0.0)
    r2 = r * r
    series = jnp.zeros_like(r)
    for coefficient in _STIRLING:
        series = series * r2 + coefficient
    a = 1.0 / jnp.where(large, 1.0, reciprocal)
    direct = jax.lax.lgamma(a) - ((a - 0.5) * jnp.log(a) - a + LOG_SQRT_2PI)
    return jnp.where(large, series * r, direct)


def stirling_slopes(reciprocal: Array) -> tuple[Array, Array]:
    """First and second derivative of `stirling_remainder` in the logarithm of its argument.

    With a = 1/reciprocal these are -[a psi(a) - a log a + 1/2] and a psi(a) + a^2 psi'(a) -
    a log a - a: their series in 1/a where that converges, and by psi(a) = psi(a + 10) - 1/a - ...
    - 1/(a + 9) below.
    """
    large = reciprocal <= 0.1
    r = jnp.where(large, reciprocal, 0.0)
    a = 1.0 / jnp.where(large, 1.0, reciprocal)
    first, second = _stirling_series(r)
    shifted, shifted_second = _stirling_series(1.0 / (a + _SHIFT))
    # psi(b) = log b - (1/2 + S)/b and psi'(b) = 1/b + (1/2 + S + S2)/b^2, with the two series.
    b = a + _SHIFT
    psi = jnp.log1p(_SHIFT / a) - (0.5 + shifted) / b  # less log a
    slope = (1.0 + (0.5 + shifted + shifted_second) / b) / b
    for k in range(_SHIFT):
        step = 1.0 / (a + k)
        psi = psi - step
        slope = slope + step * step
    below = a * psi
    return (
        jnp.where(large, first, -(below + 0.5)),
        jnp.where(large, second, below + a * (a * slope) - a),
    )


# From a = 10 on the series converge.
_SHIFT = 10


def _stirling_series(r: Array) -> tuple[Array, Array]:
    first, second, r2 = jnp.zeros_like(r), jnp.zeros_like(r), r * r
    for k, coefficient in zip(range(len(_STIRLING), 0, -1), _STIRLING, strict=True):
        power = 2 * k - 1
        first = first * r2 + power * coefficient
        second = second * r2 + power * power * coefficient
    return first * r, second * r


# B_2k / (2k (2k - 1)) for k = 8 down to 1: the last is below 1e-16 at a = 10.
_STIRLING = (
    -3617 / 122400,
    1 / 156,
    -691 / 360360,
    1 / 1188,
    -1 / 1680,
    1 / 1260,
    -1 / 360,
    1 / 12,
)


@jax.custom_jvp
def times(y: Array, factor: Array) -> Array:
    """Product y * factor, and 0 where the data y are 0 though the factor be infinite."""
    zero = y == 0
    return jnp.where(zero, 0.0, y * jnp.where(zero, 0.0, factor))


def _times_jvp(primals, tangents):
    # A response of 0 has a derivative like any other, which the choice above would hide. Solvers
    # differentiate in the factor alone, and compute nothing for the other.
    (y, factor), (dy, dfactor) = primals, tangents
    value = times(y, factor)
    moved = jnp.zeros_like(value)
    if not isinstance(dfactor, SymbolicZero):
        moved = moved + times(y, dfactor)
    if not isinstance(dy, SymbolicZero):
        moved = moved + dy * jnp.where(jnp.isfinite(factor), factor, 0.0)
    return value, moved


times.defjvp(_times_jvp, symbolic_zeros=True)


def tail_product(a: Array, b: Array) -> Array:
    """Product a * b, and 0 where one has underflowed and the other is infinite."""
    lost = ((a == 0) & jnp.isinf(b)) | (jnp.isinf(a) & (b == 0))
    return jnp.where(lost, 0.0, jnp.where(lost, 0.0, a) * jnp.where(lost, 0.0, b))

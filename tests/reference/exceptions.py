"""Quantities that miss their bar, each with the bar that holds instead and the reason.

Keys are (case, quantity); an entry covers both doors.
"""

EXCEPTIONS: dict[tuple[str, str], tuple[float, str]] = {
    ("titanic_binomial_freq_weights", "bic"): (
        3.0,
        "R's BIC counts the eight rows of weight zero, which its nobs() leaves out; jaxglm uses"
        " log(nobs).",
    ),
}

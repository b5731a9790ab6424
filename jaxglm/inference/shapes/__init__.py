"""Shapes of distributions beside coefficients: a Tweedie power, a negative binomial alpha."""

"""Linear hypotheses on coefficients: their reading, their tests, contrasts of factors."""

"""What refits of the rows held tell: analysis of deviance, steps, profiles, constraints."""

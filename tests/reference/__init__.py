"""Fits of real data held to R and to 60-digit arithmetic; data/reference/README.md says how."""

"""Measurements and demonstrations: run from a checkout, never part of the installed package."""

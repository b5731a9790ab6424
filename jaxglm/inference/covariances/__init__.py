"""Covariances of another kind: robust ones, the observed information, another dispersion."""

"""Tests of jaxglm; a package, so that its parts can import each other."""

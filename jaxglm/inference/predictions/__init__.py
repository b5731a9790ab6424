"""Predictions: of means with their uncertainty, and of new responses."""

"""Effects of the variables of a table on the mean."""

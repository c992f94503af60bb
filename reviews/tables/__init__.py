"""The lists of reviews."""

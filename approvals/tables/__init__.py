"""The lists of roles and requests."""

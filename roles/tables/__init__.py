"""The lists of roles."""

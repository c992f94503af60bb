"""The pages of roles."""

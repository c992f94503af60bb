"""The forms of roles."""

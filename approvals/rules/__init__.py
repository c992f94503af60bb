"""The rules of asking and deciding."""

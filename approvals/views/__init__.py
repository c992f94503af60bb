"""The pages of asking and deciding."""

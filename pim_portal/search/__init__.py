"""The search in the top bar."""

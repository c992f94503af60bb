"""The pages of signing in, getting back in, and one's own account."""

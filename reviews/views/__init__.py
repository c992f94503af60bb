"""The pages of reviews: those of administrators at each place, and those of reviewers."""

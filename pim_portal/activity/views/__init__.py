"""Pages of the history: one's own, and that of the places whose audit one may read."""

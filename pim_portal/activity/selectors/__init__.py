"""What of the history somebody may read, and what one event says."""

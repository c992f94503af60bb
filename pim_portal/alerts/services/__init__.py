"""What changes alerts and incidents."""

"""What is asked of alerts and incidents."""

"""What changes the history beside recording: sealing it."""

"""What changes the history beside recording: sealing it, and erasing personal text."""

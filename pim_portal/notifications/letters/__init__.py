"""What each mail says. `rendering` turns a letter into HTML and text alike."""

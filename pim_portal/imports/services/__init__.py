"""What an import does: one module for each kind of thing that a file can bring in, and one for uploads."""

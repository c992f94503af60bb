"""Every mail: who gets it, what it says, and when it no longer concerns them."""

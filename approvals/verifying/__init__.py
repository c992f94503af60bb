"""Asking a ticket system whether a ticket is good: before any transaction, with a deadline, fail closed."""

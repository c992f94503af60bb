"""Separation of duties: who has which of the roles that a rule names, and what must not be held together."""

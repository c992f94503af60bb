"""Mails: which event is told to whom, how it reads, and the outbox that delivers it."""

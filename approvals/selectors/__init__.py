"""The questions that pages, mails and rules ask of requests."""

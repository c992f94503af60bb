"""Alerts: what is risky, why, and how to answer it."""

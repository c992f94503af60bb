"""Faults on purpose, on real processes: `python -m tests.faults`, or `make faults`. See docs/faults.md."""

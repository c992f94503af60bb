"""A portal as large as the requirements name, to measure and to look at query plans."""

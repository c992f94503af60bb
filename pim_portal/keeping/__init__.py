"""Keeping the history: how long which events stay, what moves into archives, and who may read these."""

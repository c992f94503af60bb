"""The pages of alerts, which stand at every place."""

"""The pages of the Overview, and the lists behind its figures."""

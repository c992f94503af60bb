"""The rules of reviews: of the series, of an instance, of deciding; and what is recommended."""

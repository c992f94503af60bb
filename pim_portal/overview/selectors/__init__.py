"""The questions that the Overview and the page of permissions ask."""

"""Journeys in a real browser: what each kind of person does; the steps and the pictures of the guides."""

"""The beginning of a process of `audit.hands`. It imports no model: Django is set up here."""

import django
from django.db import DEFAULT_DB_ALIAS, connections


def begin(database: str) -> None:
    """Set Django up, on the database that the process which started this one uses."""
    django.setup()
    connections[DEFAULT_DB_ALIAS].settings_dict["NAME"] = database

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit import searching, triggers

        pre_migrate.connect(lift_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        post_migrate.connect(index_the_texts, sender=self)
        register(Tags.database)(triggers.check_triggers)  # type: ignore[type-var]  # takes databases, as Django passes it
        register(Tags.database)(searching.check_of(searching.TEXTS, id="audit.W001"))


def lift_triggers(*, using: str, **kwargs: Any) -> None:
    """Lift the triggers while migrations run on SQLite, which cannot rebuild a table that another one's name."""
    from audit import triggers

    connection = connections[using]
    if connection.vendor == "sqlite" and "audit_event" in connection.introspection.table_names():
        triggers.remove(connection)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    """Put the append-only triggers back after every migration of this app (see `audit.triggers`)."""
    from audit import triggers

    triggers.install(connections[using])


def index_the_texts(*, using: str, **kwargs: Any) -> None:
    """Make the index of the search after every migration, where it is missing (see `audit.searching`)."""
    from audit import searching

    searching.install(connections[using], searching.TEXTS)

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit import triggers

        post_migrate.connect(install_triggers, sender=self)
        register(Tags.database)(triggers.check_triggers)  # type: ignore[type-var]  # takes databases, as Django passes it


def install_triggers(*, using: str, **kwargs: Any) -> None:
    """Put the append-only triggers back after every migration of this app (see `audit.triggers`)."""
    from audit import triggers

    triggers.install(connections[using])

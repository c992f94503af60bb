from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PimPortalConfig(AppConfig):
    name = "pim_portal"
    verbose_name = _("PIM Portal")

    def ready(self) -> None:
        from audit.recording import subscribe
        from pim_portal.accounts.entering import describe
        from pim_portal.notifications.subscriber import tell, tell_many

        subscribe(tell, many=tell_many)
        user_logged_in.connect(describe)
        post_migrate.connect(make_schedules, sender=self)


def make_schedules(*, using: str, **kwargs: Any) -> None:
    """Give the worker its schedules after every migration, once their table is there."""
    from pim_portal.operations.services import ensure_schedules

    if using == DEFAULT_DB_ALIAS and "django_q_schedule" in connection.introspection.table_names():
        ensure_schedules()


class PortalAdminConfig(AdminConfig):
    """Django admin behind the portal's own sign-in, second factor and roles."""

    default = False
    default_site = "pim_portal.portal_admin.PortalAdminSite"

from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in
from django.core.checks import Tags, register
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class PimPortalConfig(AppConfig):
    name = "pim_portal"
    verbose_name = _("PIM Portal")

    def ready(self) -> None:
        from audit.recording import subscribe
        from pim_portal.accounts.entering import describe
        from pim_portal.alerts.selectors.sight import open_alerts
        from pim_portal.checks import register_all
        from pim_portal.covered import check_cover
        from pim_portal.moments import read_moments_sooner
        from pim_portal.notifications.subscriber import tell, tell_many
        from pim_portal.operations.sweeping import sweep_soon
        from roles.models.planning import keep_plans
        from roles.places import count_beside

        subscribe(tell, many=tell_many)
        subscribe(sweep_soon)
        count_beside("alerts", open_alerts)
        user_logged_in.connect(describe)
        connection_created.connect(keep_plans)
        connection_created.connect(read_moments_sooner)
        pre_migrate.connect(let_migrations_change, sender=self)
        post_migrate.connect(cover_the_tables, sender=self)
        post_migrate.connect(make_schedules, sender=self)
        register_all()
        register(Tags.database)(check_cover)  # type: ignore[type-var]  # takes databases, as Django passes it


def let_migrations_change(*, using: str, plan: list[Any], **kwargs: Any) -> None:
    """Let migrations change tables and rows: they are part of the product, not changes that somebody makes."""
    from audit.covering import remove

    if plan:
        remove(connections[using])


def cover_the_tables(*, using: str, **kwargs: Any) -> None:
    """Let nothing change without its event any more, once the migrations have run (see `audit.covering`)."""
    from audit.covering import install
    from pim_portal.covered import COVERED

    tables = set(connections[using].introspection.table_names())
    # Migrated back to before some of them were there, the rest is covered all the same.
    install(connections[using], [one for one in COVERED if one.table in tables] if "audit_event" in tables else [])


def make_schedules(*, using: str, **kwargs: Any) -> None:
    """Give the worker its schedules after every migration, once their table is there."""
    from pim_portal.operations.services import ensure_schedules

    if using == DEFAULT_DB_ALIAS and "django_q_schedule" in connection.introspection.table_names():
        ensure_schedules()


class PortalAdminConfig(AdminConfig):
    """Django admin behind the portal's own sign-in, second factor and roles."""

    default = False
    default_site = "pim_portal.portal_admin.PortalAdminSite"

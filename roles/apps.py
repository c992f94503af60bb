from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RolesConfig(AppConfig):
    name = "roles"
    verbose_name = _("Roles")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit.searching import check_of
        from roles.searching import PLACES, PRINCIPALS

        post_migrate.connect(install_built_in_roles, sender=self)
        post_migrate.connect(index_the_names, sender=self)
        register(Tags.database)(check_of(PRINCIPALS, id="roles.W001"))
        register(Tags.database)(check_of(PLACES, id="roles.W002"))


def install_built_in_roles(*, plan: list[tuple[Any, bool]] | None = None, **kwargs: Any) -> None:
    """Put the built-in roles in place after migrations, unless some were rolled back."""
    from roles.services.built_in import install_built_in

    if not any(backwards for _migration, backwards in plan or []):
        install_built_in()


def index_the_names(*, using: str, **kwargs: Any) -> None:
    """Make the indexes of the searches by name after each migration, where they are missing (see `audit.searching`)."""
    from audit.searching import install
    from roles.searching import PLACES, PRINCIPALS

    for searched in (PRINCIPALS, PLACES):
        install(connections[using], searched)

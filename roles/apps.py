from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RolesConfig(AppConfig):
    name = "roles"
    verbose_name = _("Roles")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(install_built_in_roles, sender=self)


def install_built_in_roles(*, plan: list[tuple[Any, bool]] | None = None, **kwargs: Any) -> None:
    """Put the built-in roles in place after migrations, unless some were rolled back."""
    from roles.services.built_in import install_built_in

    if not any(backwards for _migration, backwards in plan or []):
        install_built_in()

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        from approvals.searching import TICKETS
        from audit.searching import check_of

        post_migrate.connect(index_the_tickets, sender=self)
        register(Tags.database)(check_of(TICKETS, id="approvals.W001"))


def index_the_tickets(*, using: str, **kwargs: Any) -> None:
    """Make the index of the search for tickets after every migration, where it is missing (see `audit.searching`)."""
    from approvals.searching import TICKETS
    from audit.searching import install

    install(connections[using], TICKETS)

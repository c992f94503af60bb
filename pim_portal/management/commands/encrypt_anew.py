"""Encrypt what is stored encrypted with the present secret key, so that the former one can be forgotten."""

from __future__ import annotations

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.operations.encryption import encrypt_anew
from pim_portal.operations.operators import operator

NAMED: Final = 5  # rows of a table that are named


class Command(BaseCommand):
    help = (
        "Encrypt the keys of authenticator apps and the secrets of web hooks and links with PIM_SECRET_KEY. Until that "
        "is done after a change of it, the former key has to stay in PIM_SECRET_KEY_FALLBACKS. Safe to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        told = encrypt_anew(actor=operator(), clock=timezone.now)
        self.stdout.write(f"{told.done:,} rows are encrypted with the present key.")
        if told.unread:
            raise CommandError(
                "These are encrypted with a key that is neither PIM_SECRET_KEY nor in PIM_SECRET_KEY_FALLBACKS, and "
                f"stay so: {'; '.join(_named(*one) for one in told.unread.items())}. "
                "Name that key there, and run this again."
            )


def _named(table: str, ids: list[str]) -> str:
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    return f"{table} {', '.join(ids[:NAMED])}{more}"

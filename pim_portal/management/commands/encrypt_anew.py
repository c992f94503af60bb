"""Encrypt what is stored encrypted with the present secret key, so that the former one can be forgotten."""

from __future__ import annotations

import getpass
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.operations.encryption import encrypt_anew
from roles.actors import Actor


class Command(BaseCommand):
    help = (
        "Encrypt the keys of authenticator apps and the secrets of web hooks and links with PIM_SECRET_KEY. Until that "
        "is done after a change of it, the former key has to stay in PIM_SECRET_KEY_FALLBACKS. Safe to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = encrypt_anew(actor=Actor.operator(getpass.getuser()), clock=timezone.now)
        except InvalidToken as unread:
            raise CommandError(
                "Something is encrypted with a key that is neither PIM_SECRET_KEY nor in PIM_SECRET_KEY_FALLBACKS: "
                "name that key there, and run this again."
            ) from unread
        self.stdout.write(f"{done:,} rows are encrypted with the present key.")

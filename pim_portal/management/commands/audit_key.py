"""Make the key that signs the audit history, or show what others verify it by."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import keys
from pim_portal.activity import services
from pim_portal.operations.operators import operator


class Command(BaseCommand):
    help = (
        "Make the key that signs the audit history, where there is none (PIM_AUDIT_KEY), and print the public keys by "
        "which it is verified; where their file is lost, write the public key of the present key into it anew. With "
        "--rotate, replace it: what it signed stays trusted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rotate", action="store_true", help="make a new key in place of the present one")

    def handle(self, *args: Any, **options: Any) -> None:
        file = settings.PIM_AUDIT_KEY
        if options["rotate"] or not file.exists():
            try:
                made = services.make_key(file, replacing=options["rotate"], actor=operator(), clock=timezone.now)
            except (OSError, keys.KeyUnusable) as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"A new key stands in {file}. Keep a copy where the database's backups are not.")
            self.stdout.write(f"It is called {made.id}.")
        try:
            again = keys.trust_again(file)
            trusted = keys.trusted(file)
        except (OSError, keys.KeyUnusable) as error:
            raise CommandError(str(error)) from error
        if again:
            self.stdout.write(f"{keys.public_file(file)} held no public key. Now it holds that of the present key.")
            self.stdout.write("Add those before it from where you gave them to others, if there were any.")
        self.stdout.write("The history is verified by these public keys:")
        for name, key in trusted.items():
            self.stdout.write(f"{name} {key.public_bytes_raw().hex()}")

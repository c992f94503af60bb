"""Encrypting anew what is stored encrypted, so that a former secret key can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.apps import apps
from django.db import models, transaction

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models.encrypted import EncryptedTextField
from roles.service import record

ROWS: Final = 200  # in one transaction: whoever signs in meanwhile waits for no more than these


def encrypted_fields() -> dict[type[models.Model], list[str]]:
    """Return the fields that are stored encrypted, by their model."""
    found = {
        model: [field.name for field in model._meta.local_concrete_fields if isinstance(field, EncryptedTextField)]
        for model in apps.get_models()
    }
    return {model: fields for model, fields in found.items() if fields}


def encrypt_anew(*, actor: Actor, clock: Clock) -> int:
    """Encrypt all of it with the present key; return how many rows. What is written meanwhile has that key already.

    Raises `InvalidToken` where neither the present key nor a fallback reads a row. It may be run again at any time.
    """
    done = 0
    for model, fields in encrypted_fields().items():
        ids = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(ids), ROWS):
            done += _encrypt(model, fields, ids[first : first + ROWS], actor=actor, clock=clock)
    return done


def _encrypt(model: type[models.Model], fields: list[str], ids: Sequence[Any], *, actor: Actor, clock: Clock) -> int:
    with transaction.atomic():
        locked = model._base_manager.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids).order_by("pk")
        rows = list(locked.only("pk", *fields))
        model._base_manager.bulk_update(rows, fields)
        record(
            Kind.SECRETS_ENCRYPTED,
            actor=actor,
            at=clock(),
            details={"table": model._meta.db_table, "rows": len(rows)},
        )
    return len(rows)

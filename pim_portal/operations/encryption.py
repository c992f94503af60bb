"""Encrypting anew what is stored encrypted, so that a former secret key can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.fernet import InvalidToken
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
        model: [one.name for one in model._meta.local_concrete_fields if isinstance(one, EncryptedTextField)]
        for model in apps.get_models()
    }
    return {model: fields for model, fields in found.items() if fields}


@dataclass(slots=True)
class Encrypted:
    """How many rows the present key encrypts now, and which rows no known key reads: their ids, by their table."""

    done: int = 0
    unread: dict[str, list[str]] = field(default_factory=dict)


def encrypt_anew(*, actor: Actor, clock: Clock) -> Encrypted:
    """Encrypt all of it with the present key. What is written meanwhile has that key already.

    A row that neither the present key nor a fallback reads stays as it is. It may be run again at any time.
    """
    told = Encrypted()
    for model, fields in encrypted_fields().items():
        ids = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(ids), ROWS):
            _encrypt(model, fields, ids[first : first + ROWS], told, actor=actor, clock=clock)
    return told


def _encrypt(
    model: type[models.Model], fields: list[str], ids: Sequence[Any], told: Encrypted, *, actor: Actor, clock: Clock
) -> None:
    table = model._meta.db_table
    with transaction.atomic():
        locked = model._base_manager.select_for_update(no_key=True, of=("self",)).only("pk", *fields).order_by("pk")
        try:
            rows = list(locked.filter(pk__in=ids))
        except InvalidToken:
            rows = _that_are_read(locked, ids, told.unread.setdefault(table, []))
        if rows:
            model._base_manager.bulk_update(rows, fields)
            record(Kind.SECRETS_ENCRYPTED, actor=actor, at=clock(), details={"table": table, "rows": len(rows)})
    told.done += len(rows)


def _that_are_read(rows: models.QuerySet[Any], ids: Sequence[Any], unread: list[str]) -> list[Any]:
    """Return those of the rows that a known key reads, one by one, and note the others."""
    found: list[Any] = []
    for pk in ids:
        try:
            found += rows.filter(pk=pk)
        except InvalidToken:
            unread.append(str(pk))
    return found

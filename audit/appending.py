"""Appending: an event, its text and its place among those that wait for the seal, as rows of the database."""

from __future__ import annotations

from functools import cache

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.models import Event, EventText, Pending


def append(event: Event, text: EventText) -> None:
    """Insert the three rows of one event; it has its number then.

    In one statement on PostgreSQL, where each takes a way to the database and back: every act writes events.
    """
    connection = transaction.get_connection()
    if connection.vendor == "postgresql":
        _append_at_once(event, text, connection)
        return
    event.save(force_insert=True)
    text.event = event
    text.save(force_insert=True)
    Pending.objects.create(event=event)


def _append_at_once(event: Event, text: EventText, connection: BaseDatabaseWrapper) -> None:
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in (event, text)
        for field in _fields(type(row))
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), values)
        (event.pk,) = cursor.fetchone()
    text.event = event
    for row in (event, text):
        row._state.adding, row._state.db = False, connection.alias


@cache
def _statement() -> str:
    events, texts = _fields(Event), _fields(EventText)
    # The names are those of our own columns, and every value is a parameter.
    return f"""
        WITH new AS (
            INSERT INTO {Event._meta.db_table} ({_columns(events)}) VALUES ({_places(events)}) RETURNING id
        ), its_text AS (
            INSERT INTO {EventText._meta.db_table} (event_id, {_columns(texts)})
            VALUES ((SELECT id FROM new), {_places(texts)})
        )
        INSERT INTO {Pending._meta.db_table} (event_id) SELECT id FROM new RETURNING event_id
        """  # noqa: S608 - see above


@cache
def _fields(model: type[models.Model]) -> list[models.Field[object, object]]:
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]


def _columns(fields: list[models.Field[object, object]]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _places(fields: list[models.Field[object, object]]) -> str:
    return ", ".join("%s" for _field in fields)

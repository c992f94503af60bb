"""Time the calls of the other packages: python -m tests.bench.rivals.run SIZE, in their environment.

A tenth as many users as grants, each with one group; a permission on one object each for django-guardian.
"""

from __future__ import annotations

import json
import sys

import django

PLACES = "INSERT INTO rivals_place (id, name) SELECT n, 'Place ' || n FROM generate_series(1, %(users)s) n"
USERS = """
    INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_active, is_staff, is_superuser,
        date_joined)
    SELECT 1000 + n, 'u' || n, '!', '', '', '', true, false, false, now() FROM generate_series(1, %(users)s) n"""
MEMBERS = """
    INSERT INTO auth_user_groups (user_id, group_id)
    SELECT 1000 + n, %(group)s FROM generate_series(1, %(users)s) n"""
GRANTS = """
    INSERT INTO guardian_userobjectpermission (object_pk, content_type_id, permission_id, user_id)
    SELECT 1 + (n %% %(users)s), %(kind)s, %(permission)s, 1001 + (n / 10) %% %(users)s
    FROM generate_series(1, %(size)s) n ON CONFLICT DO NOTHING"""


def main() -> None:
    """Fill the tables of the packages, time their calls, say what came out as JSON."""
    django.setup()
    size = int(sys.argv[1])
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.core.management import call_command
    from django.db import connection, transaction

    from tests.bench.inside import TIMES, timed
    from tests.bench.rivals.models import Logged, Place, Plain, Remembered

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    kind = ContentType.objects.get_for_model(Place)
    change = Permission.objects.get(content_type=kind, codename="change_place")
    group = Group.objects.create(name="Administrators")
    group.permissions.add(change)
    users = max(TIMES, size // 10)
    with connection.cursor() as cursor:
        values = {"users": users, "group": group.pk, "kind": kind.pk, "permission": change.pk, "size": size}
        cursor.execute(PLACES, values)
        cursor.execute(USERS, values)
        cursor.execute(MEMBERS, values)
        cursor.execute(GRANTS, values)
        cursor.execute("VACUUM ANALYZE")
    place = Place.objects.order_by("pk")[0]
    pks = list(User.objects.filter(pk__gt=1000).order_by("pk").values_list("pk", flat=True)[:TIMES])
    rows = {model: model.objects.create(name="One", description="") for model in (Plain, Logged, Remembered)}

    def by_model(number: int) -> None:
        assert User(pk=pks[number % len(pks)], is_active=True).has_perm("rivals.change_place")

    def by_object(number: int) -> None:
        user = User(pk=pks[number % len(pks)], is_active=True)
        user.has_perm("rivals.change_place", place)

    def save(model: type[Plain | Logged | Remembered], number: int) -> None:
        row = rows[model]
        row.description = f"Measured {number}"
        with transaction.atomic():
            row.save()

    told = {
        "has_perm, Django's ModelBackend": timed(by_model),
        "has_perm, django-guardian: on an object": timed(by_object),
        "A change, recorded by nobody": timed(lambda number: save(Plain, number)),
        "A change recorded, django-auditlog": timed(lambda number: save(Logged, number)),
        "A change recorded, django-simple-history": timed(lambda number: save(Remembered, number)),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

"""What *held* means, once, in SQL that SQLite and PostgreSQL both read.

The conditions below are whole sentences of SQL, made when the module is loaded. Composed of querysets they would say
the same, and every page would spend its time on composing: ten milliseconds for each question about what is held.
`AssignmentQuerySet` is the only one to use them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, DateTimeField, Exists, Expression, F, QuerySet, Subquery, UUIDField, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

from roles.ids import GROUP_MEMBER

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
Column = Callable[[str], str]


# Each row is asked by itself. PostgreSQL would else weave all of these questions into one join, and think for longer
# than most pages take (35 ms in place of 3); and it would compare every place with every retired one. With an offset,
# be it none, it leaves a question as it stands.
_BY_ROW = "LIMIT 1 OFFSET 0"


class ByRow(Exists):
    """`Exists` that PostgreSQL asks row by row: for a question that is dear to plan, and asked of few rows."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


def _of(alias: str) -> Column:
    return lambda name: f"{alias}.{name}"


def _own(name: str) -> str:
    """A column of the row that the condition is about."""
    return "{" + name + "}"


# Start and end are asked about so that no index answers it: nearly everything that is open has begun and is not over,
# and PostgreSQL would read all of that from the indexes of what is newest and what is due. For what somebody holds it
# did: 38,000 entries to find one row.
def _standing(column: Column, alias: str) -> str:
    """What every assignment in effect fulfils, but for retired resources and where it came from."""
    return f"""
        COALESCE({column("starts_at")} <= {{now}}, FALSE)
        AND COALESCE({column("ends_at")} > {{now}}, TRUE)
        AND {column("ended_at")} IS NULL
        AND EXISTS (SELECT 1 FROM roles_principal {alias}_p WHERE {alias}_p.id = {column("principal_id")}
            AND {alias}_p.enabled {_BY_ROW})
        AND EXISTS (SELECT 1 FROM roles_role {alias}_r WHERE {alias}_r.id = {column("role_id")}
            AND {alias}_r.retired_at IS NULL {_BY_ROW})"""


def _not_retired(column: Column, alias: str) -> str:
    """Neither the resource nor one above it is retired."""
    return f"""
        NOT EXISTS (SELECT 1 FROM roles_resource {alias}_n
            JOIN roles_resource {alias}_up ON {_lies_at_or_below(f"{alias}_n", f"{alias}_up")}
            WHERE {alias}_n.id = {column("resource_id")} AND {alias}_up.retired_at IS NOT NULL {_BY_ROW})"""


def _lies_at_or_below(below: str, above: str) -> str:
    return f"substr({below}.path, 1, length({above}.path)) = {above}.path"


# The memberships in effect: the same definition, where it is simpler. A member is a user, never a group, and a group's
# node stands alone: a membership's own eligibility is held by the same person at the same node, and nothing above it
# can be retired.
def _membership(column: Column, alias: str) -> str:
    eligibility = f"{alias}_k"
    return f"""
        {column("type")} = 'active' AND {column("role_id")} = {{member}} AND {_standing(column, alias)}
        AND EXISTS (SELECT 1 FROM roles_resource {alias}_n WHERE {alias}_n.id = {column("resource_id")}
            AND {alias}_n.retired_at IS NULL {_BY_ROW})
        AND ({column("activated_from_id")} IS NULL OR EXISTS (SELECT 1 FROM roles_assignment {eligibility}
            WHERE {eligibility}.id = {column("activated_from_id")} AND {eligibility}.type = 'eligible'
            AND {eligibility}.principal_id = {column("principal_id")}
            AND {eligibility}.role_id = {column("role_id")} AND {eligibility}.resource_id = {column("resource_id")}
            AND {_standing(_of(eligibility), eligibility)} {_BY_ROW}))"""


def _given_to(assigned_to: str, person: str, since: str) -> str:
    """Given to the person directly, or to a group of theirs by a membership that had begun at `since`."""
    return f"""
        ({assigned_to} = {person} OR EXISTS (SELECT 1 FROM roles_assignment held_m
            JOIN roles_group held_g ON held_g.resource_id = held_m.resource_id
            WHERE held_m.principal_id = {person} AND held_g.principal_ptr_id = {assigned_to}
            AND COALESCE(held_m.starts_at <= {since}, FALSE) AND {_membership(_of("held_m"), "held_m")} {_BY_ROW}))"""


# An activation counts while its eligibility does: for the same person or a member of the group, there or below, so that
# what is retired above the eligibility is above the activation, too. Only the membership that it came through keeps it:
# who leaves the group and comes back activates anew.
def _from_live_eligibility(column: Column, alias: str) -> str:
    e, en, at = f"{alias}_e", f"{alias}_en", f"{alias}_at"
    return f"""
        ({column("activated_from_id")} IS NULL OR EXISTS (SELECT 1 FROM roles_assignment {e}
            JOIN roles_resource {en} ON {en}.id = {e}.resource_id
            JOIN roles_resource {at} ON {at}.id = {column("resource_id")}
            WHERE {e}.id = {column("activated_from_id")} AND {e}.type = 'eligible'
            AND {e}.role_id = {column("role_id")} AND {_lies_at_or_below(at, en)}
            AND {_standing(_of(e), e)}
            AND {_given_to(f"{e}.principal_id", column("principal_id"), column("created_at"))} {_BY_ROW}))"""


# Elevated access counts while the Global Administrator behind it does, for the same person: whoever loses the one has
# lost the other. The directory, where that role is held, is never retired.
_FROM_LIVE_ROLE = f"""
        ({_own("elevated_from_id")} IS NULL OR EXISTS (SELECT 1 FROM roles_assignment held_x
            WHERE held_x.id = {_own("elevated_from_id")} AND held_x.type = 'active'
            AND {_standing(_of("held_x"), "held_x")} AND {_from_live_eligibility(_of("held_x"), "held_x")}
            AND {_given_to("held_x.principal_id", _own("principal_id"), _own("created_at"))} {_BY_ROW}))"""

_ORIGIN = f"{_not_retired(_own, 'held')} AND {_from_live_eligibility(_own, 'held')} AND {_FROM_LIVE_ROLE}"
_NOTHING_LOST = f"""
        {_ORIGIN} AND EXISTS (SELECT 1 FROM roles_role held_r WHERE held_r.id = {_own("role_id")}
            AND held_r.retired_at IS NULL {_BY_ROW})"""
_IN_EFFECT = f"{_standing(_own, 'held')} AND {_ORIGIN}"
# Of rows that are named by their keys. As it stands PostgreSQL would read the index of all that is open as well, to ask
# nothing about a row that is over.
_IN_EFFECT_OF_KEYS = _IN_EFFECT.replace("{ended_at} IS NULL", "COALESCE({ended_at} IS NULL, FALSE)")
_MEMBERSHIP_IN_EFFECT = _membership(_own, "held")
_GIVEN_TO = _given_to(_own("principal_id"), "{person}", "{since}")


class Condition(Expression):
    """A condition written in SQL; each `{name}` in it stands for one of the expressions that it was made with."""

    output_field = BooleanField()

    def __init__(self, sql: str, **parts: Combinable) -> None:
        super().__init__()
        self.pieces = tuple(" ".join(piece.split()) for piece in _PLACEHOLDER.split(sql))
        self.names = tuple(dict.fromkeys(_PLACEHOLDER.findall(sql)))
        self.parts: list[Any] = [parts.get(name, F(name)) for name in self.names]

    def get_source_expressions(self) -> list[Any]:
        return self.parts

    def set_source_expressions(self, exprs: Any) -> None:
        self.parts = list(exprs)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        compiled = {name: compiler.compile(part) for name, part in zip(self.names, self.parts, strict=True)}
        sql: list[str] = []
        params: list[Any] = []
        for number, piece in enumerate(self.pieces):
            if number % 2 == 0:
                sql.append(piece)
                continue
            text, values = compiled[piece]
            sql.append(text)
            params.extend(values)
        return f"({' '.join(sql)})", params


class Among(Condition):
    """The column is one of the rows' values, which are found first, once.

    PostgreSQL would else join them, and where a page has joined eight tables already it does so last: after everything
    that anybody holds was looked at.
    """

    def __init__(self, column: str, rows: QuerySet[Any]) -> None:
        super().__init__("{column} IN {rows}", column=F(column), rows=Subquery(rows))

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        column, rows = (compiler.compile(part) for part in self.parts)
        return f"({column[0]} = ANY(ARRAY{rows[0]}))", [*column[1], *rows[1]]


class Constant(Value):
    """A key of ours that stands in the SQL itself.

    As a parameter, PostgreSQL would plan for a role of which there are some hundred assignments; of memberships there
    may be more than of all others, and it read the keys of all of them to find those of one person.
    """

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        key = UUIDField().get_db_prep_value(self.value, connection)
        return f"'{key}'", []


def _at(now: datetime) -> dict[str, Combinable]:
    return {"now": Value(now, DateTimeField()), "member": Constant(GROUP_MEMBER, UUIDField())}


def in_effect(now: datetime) -> Condition:
    """The assignment is in effect at `now` (DESIGN.md §4)."""
    return Condition(_IN_EFFECT, **_at(now))


def in_effect_of_keys(now: datetime) -> Condition:
    """The same, of rows that are named by their keys."""
    return Condition(_IN_EFFECT_OF_KEYS, **_at(now))


def nothing_lost(now: datetime) -> Condition:
    """Its role, its resource and what it came from, if it is an activation or elevated access, are there still."""
    return Condition(_NOTHING_LOST, **_at(now))


def membership_in_effect(now: datetime) -> Condition:
    """The assignment is a membership of a group and in effect at `now`."""
    return Condition(_MEMBERSHIP_IN_EFFECT, **_at(now))


def given_to(person: Combinable, since: Combinable, now: datetime) -> Condition:
    """The assignment is given to this person, directly or through a membership that had begun at `since`."""
    return Condition(_GIVEN_TO, **_at(now), person=person, since=since)

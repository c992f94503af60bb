"""What must be so before a custom role is made, changed, retired or restored."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from audit.kinds import Realm
from roles.models import Resource, ResourceKind, Role
from roles.models.principals import search_key
from roles.refusals import Violation
from roles.rules.asked import second_factor_missing
from roles.text import MAX_NAME, is_visible

MAX_DESCRIPTION = 500  # characters
MAX_CATEGORY = 80  # characters
MAX_PERMISSIONS = 500  # lines
MAX_PERMISSION = 200  # characters


@dataclass(frozen=True, slots=True)
class Definition:
    """What a custom role is, as it was typed and cleaned."""

    name: str
    description: str = ""
    category: str = ""
    privileged: bool = False
    permissions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return search_key(self.name)[:400]


@dataclass(frozen=True, slots=True)
class DefineFacts:
    """What is known when somebody makes or changes a custom role; `before` is None for a new one."""

    home: Resource | None
    definition: Definition
    before: Role | None
    allowed: bool
    second_factor: bool
    home_retired: bool
    name_taken: bool


@dataclass(frozen=True, slots=True)
class RetireFacts:
    """What is known when somebody retires or restores a custom role."""

    role: Role
    allowed: bool
    second_factor: bool
    home_retired: bool = False


def not_allowed(facts: DefineFacts | RetireFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not make or change roles here."))
    return None


def wrong_home(facts: DefineFacts) -> Violation | None:
    home = facts.home
    if home is not None and home.kind != ResourceKind.DIRECTORY and home.realm != Realm.RESOURCE:
        return Violation("wrong_place", _("A custom role is made for the whole directory, or at a resource."))
    return None


def built_in(facts: DefineFacts | RetireFacts) -> Violation | None:
    role = facts.before if isinstance(facts, DefineFacts) else facts.role
    if role is not None and role.built_in:
        return Violation("built_in", _("A built-in role cannot be changed."))
    return None


def place_retired(facts: DefineFacts | RetireFacts) -> Violation | None:
    if facts.home_retired:
        return Violation("retired", _("This place is retired; roles are neither made nor restored here."))
    return None


def name_missing(facts: DefineFacts) -> Violation | None:
    if not is_visible(facts.definition.name):
        return Violation("name_missing", _("Give the role a name."), "name")
    return None


def too_long(facts: DefineFacts) -> Violation | None:
    given = facts.definition
    limits = [("name", given.name, MAX_NAME), ("description", given.description, MAX_DESCRIPTION)]
    limits.append(("category", given.category, MAX_CATEGORY))
    for field, text, limit in limits:
        if len(text) > limit:
            sentence = _("This is too long: at most %(limit)s characters.")
            return Violation(f"{field}_too_long", sentence % {"limit": limit}, field)
    return None


def one_line(facts: DefineFacts) -> Violation | None:
    for field in ("name", "category"):
        if "\n" in getattr(facts.definition, field) or "\t" in getattr(facts.definition, field):
            return Violation(f"{field}_of_lines", _("Write it on one line."), field)
    return None


def too_many_permissions(facts: DefineFacts) -> Violation | None:
    lines = facts.definition.permissions
    if len(lines) > MAX_PERMISSIONS or any(len(line) > MAX_PERMISSION for line in lines):
        sentence = _("At most %(lines)s permissions, each of at most %(limit)s characters.")
        words = {"lines": MAX_PERMISSIONS, "limit": MAX_PERMISSION}
        return Violation("permissions_too_long", sentence % words, "permissions")
    return None


def name_taken(facts: DefineFacts) -> Violation | None:
    # Where the other role was made is not said: the place may be one that the reader does not see.
    if facts.name_taken:
        return Violation("name_taken", _("Another role that can be assigned here has this name."), "name")
    return None


def retired_before(facts: RetireFacts) -> Violation | None:
    if facts.role.retired_at is not None:
        return Violation("already_retired", _("This role is already retired."))
    return None


def in_use(facts: RetireFacts) -> Violation | None:
    if facts.role.retired_at is None:
        return Violation("not_retired", _("This role is not retired."))
    return None


DEFINE = (
    not_allowed,
    second_factor_missing,
    wrong_home,
    built_in,
    place_retired,
    name_missing,
    one_line,
    too_long,
    too_many_permissions,
    name_taken,
)
RETIRE = (not_allowed, second_factor_missing, built_in, retired_before)
RESTORE = (not_allowed, second_factor_missing, built_in, place_retired, in_use)

"""What must be so before a resource or an administrative unit is added, renamed, moved, retired or restored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.models import Resource, ResourceKind
from roles.models.resources import CHILDREN
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.duties import kept_apart
from roles.rules.looser import second_administrator
from roles.selectors.duties.clashes import Clash
from roles.text import MAX_NAME, is_visible

MAX_SCOPE_PATH = 1000  # characters, as the column has it
MAX_TYPE = 120  # characters, as the column has it
MAX_LEVELS = 20  # from the root down, itself counted

# Their names are a part of their scope path, and of the paths of all that stands below.
NAMED_BY_PATH = frozenset({ResourceKind.RESOURCE_GROUP, ResourceKind.RESOURCE})
# Where everything else hangs from, and what is looked after elsewhere.
FIXED = frozenset({ResourceKind.DIRECTORY, ResourceKind.ROOT, ResourceKind.GROUP})

_NO_PATH_CHARACTERS = re.compile(r"[/\\?#%]")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*(/[A-Za-z][A-Za-z0-9]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """What is known when somebody is about to change the tree. `place` is None while it does not stand yet."""

    place: Resource | None
    kind: ResourceKind
    allowed: bool
    second_factor: bool
    reason: str = ""


def not_allowed(facts: TreeFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not change the tree here."))
    return None


_ALWAYS = (not_allowed, second_factor_missing, reason_too_long)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts(TreeFacts):
    """What is known when a place gets its name: a new one, or another one."""

    name: str
    longest_path: int  # characters of the longest scope path at the place and below, with this name
    taken: bool


def name_missing(facts: NameFacts) -> Violation | None:
    if not is_visible(facts.name):
        return Violation("name_missing", _("Give it a name."), "name")
    return None


def name_too_long(facts: NameFacts) -> Violation | None:
    if len(facts.name) > MAX_NAME:
        sentence = _("The name is too long: at most %(limit)s characters.")
        return Violation("name_too_long", sentence % {"limit": MAX_NAME}, "name")
    return None


def name_of_lines(facts: NameFacts) -> Violation | None:
    if "\n" in facts.name or "\t" in facts.name:
        return Violation("name_of_lines", _("Write the name on one line."), "name")
    return None


def name_breaks_the_path(facts: NameFacts) -> Violation | None:
    if facts.kind not in NAMED_BY_PATH:
        return None
    if _NO_PATH_CHARACTERS.search(facts.name) or not facts.name.strip("."):
        sentence = _("The name is part of the scope: it has none of / \\ ? # % and is more than dots.")
        return Violation("name_breaks_path", sentence, "name")
    return None


def name_taken(facts: NameFacts) -> Violation | None:
    if facts.taken:
        return Violation("name_taken", _("Something of this kind and name stands here already."), "name")
    return None


def path_too_long(facts: NameFacts) -> Violation | None:
    if facts.longest_path > MAX_SCOPE_PATH:
        sentence = _("The scope would be longer than %(limit)s characters, here or below. Choose a shorter name.")
        return Violation("path_too_long", sentence % {"limit": MAX_SCOPE_PATH}, "name")
    return None


_NAME = (name_missing, name_too_long, name_of_lines, name_breaks_the_path, name_taken, path_too_long)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFacts(NameFacts):
    """What is known when something is added below `parent`; None: a new resource root."""

    parent: Resource | None
    type: str
    retired: bool


def wrong_place(facts: AddFacts) -> Violation | None:
    allowed = CHILDREN[ResourceKind(facts.parent.kind)] if facts.parent else {ResourceKind.ROOT}
    if facts.kind not in allowed:
        return Violation("wrong_place", _("A resource of this kind cannot stand here."), "kind")
    return None


def parent_retired(facts: AddFacts) -> Violation | None:
    if facts.retired:
        return Violation("retired", _("This place is retired; nothing is added below it."))
    return None


def too_deep(facts: AddFacts) -> Violation | None:
    if facts.parent is not None and facts.parent.depth + 1 > MAX_LEVELS:
        sentence = _("The tree has at most %(limit)s levels.")
        return Violation("too_deep", sentence % {"limit": MAX_LEVELS}, "kind")
    return None


def type_malformed(facts: AddFacts) -> Violation | None:
    if facts.kind != ResourceKind.RESOURCE:
        if facts.type:
            return Violation("type_not_here", _("Only a resource has a type."), "type")
        return None
    if len(facts.type) > MAX_TYPE or not _TYPE.fullmatch(facts.type):
        sentence = _("Write the type as provider and type, such as Microsoft.KeyVault/vaults.")
        return Violation("type_malformed", sentence, "type")
    return None


ADD = (*_ALWAYS, wrong_place, parent_retired, too_deep, *_NAME, type_malformed)


def cannot_be_renamed(facts: NameFacts) -> Violation | None:
    if facts.kind in (ResourceKind.DIRECTORY, ResourceKind.GROUP):
        return Violation("fixed_place", _("This place keeps its name."))
    return None


def same_name(facts: NameFacts) -> Violation | None:
    if facts.place is not None and facts.place.name == facts.name:
        return Violation("no_change", _("This is its name already. Choose another one."), "name")
    return None


RENAME = (*_ALWAYS, cannot_be_renamed, same_name, *_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFacts(NameFacts):
    """What is known when `place` is about to be moved from its parent to `target`.

    `leaving` are the custom roles whose home would no longer be above assignments of theirs; `doubled` the custom roles
    of which two of one name would stand on one branch; `clashes` what would come to stand against a rule. `agreed`:
    nothing has changed since the preview was looked at.
    """

    target: Resource
    parent: Resource | None
    retired: bool
    levels: int  # of the branch that is moved, its top counted
    leaving: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()
    agreed: bool = True
    loosens: tuple[str, ...] = ()  # fields of settings, where that waits for a second administrator


def waits_for_a_second(facts: MoveFacts) -> Violation | None:
    """A place that is moved takes its inherited settings from elsewhere: looser ones are no way around."""
    return second_administrator(facts.loosens) if facts.loosens else None


def cannot_be_moved(facts: MoveFacts) -> Violation | None:
    if facts.kind in FIXED or facts.kind == ResourceKind.ADMINISTRATIVE_UNIT:
        return Violation("fixed_place", _("This place cannot be moved."))
    return None


def into_itself(facts: MoveFacts) -> Violation | None:
    if facts.place is not None and facts.place.contains(facts.target):
        return Violation("into_itself", _("A place cannot be moved to itself or to something below it."), "to")
    return None


def already_there(facts: MoveFacts) -> Violation | None:
    if facts.parent is not None and facts.parent.pk == facts.target.pk:
        return Violation("no_change", _("It stands there already. Choose another place."), "to")
    return None


def wrong_parent(facts: MoveFacts) -> Violation | None:
    if facts.kind not in CHILDREN[ResourceKind(facts.target.kind)]:
        return Violation("wrong_place", _("A resource of this kind cannot stand there."), "to")
    return None


def either_retired(facts: MoveFacts) -> Violation | None:
    if facts.retired:
        return Violation("retired", _("What is retired stays where it is, and nothing is moved below it."))
    return None


def branch_too_deep(facts: MoveFacts) -> Violation | None:
    if facts.target.depth + facts.levels > MAX_LEVELS:
        sentence = _("The tree has at most %(limit)s levels; with what stands below, this would be more.")
        return Violation("too_deep", sentence % {"limit": MAX_LEVELS}, "to")
    return None


def custom_roles_left_behind(facts: MoveFacts) -> Violation | None:
    """Ending them would take access away that nobody had looked at, keeping them would give a role outside its home."""
    if facts.leaving:
        sentence = _(
            "Assignments here or below are of custom roles that can only be assigned above the old place: %(roles)s. "
            "Remove these assignments first."
        )
        return Violation("custom_roles_left", sentence % {"roles": ", ".join(facts.leaving)})
    return None


def custom_roles_doubled(facts: MoveFacts) -> Violation | None:
    if facts.doubled:
        sentence = _("There are custom roles of the same name on both sides: %(roles)s. Rename one first.")
        return Violation("custom_roles_doubled", sentence % {"roles": ", ".join(facts.doubled)})
    return None


def changed_meanwhile(facts: MoveFacts | RetireFacts) -> Violation | None:
    if not facts.agreed:
        sentence = _("What this would change is no longer what you looked at. Look again before you confirm it.")
        return Violation("changed_meanwhile", sentence)
    return None


MOVE = (
    *_ALWAYS,
    cannot_be_moved,
    into_itself,
    already_there,
    wrong_parent,
    either_retired,
    branch_too_deep,
    name_taken,
    path_too_long,
    custom_roles_left_behind,
    custom_roles_doubled,
    kept_apart,
    changed_meanwhile,
    waits_for_a_second,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireFacts(TreeFacts):
    """What is known when somebody is about to retire or restore a place."""

    above_retired: bool
    agreed: bool = True


def cannot_be_retired(facts: RetireFacts) -> Violation | None:
    """Nobody would hold anything above a retired root: nobody could bring it back."""
    if facts.kind in FIXED:
        return Violation("fixed_place", _("This place cannot be retired. Retire what stands below it."))
    return None


def already_retired(facts: RetireFacts) -> Violation | None:
    if facts.place is not None and facts.place.retired_at is not None:
        return Violation("already_retired", _("This place is retired already."))
    if facts.above_retired:
        return Violation("already_retired", _("What stands above it is retired, and this place with it."))
    return None


def not_retired(facts: RetireFacts) -> Violation | None:
    if facts.place is not None and facts.place.retired_at is None:
        return Violation("not_retired", _("This place is not retired itself; there is nothing to restore."))
    return None


def still_retired_above(facts: RetireFacts) -> Violation | None:
    if facts.above_retired:
        return Violation("above_retired", _("What stands above it is retired. Restore that first."))
    return None


RETIRE = (*_ALWAYS, cannot_be_retired, already_retired, changed_meanwhile)
RESTORE = (*_ALWAYS, not_retired, still_retired_above)

"""The first steps of each kind of person: a card for what this viewer can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.kinds import Realm
from roles.authority import Authority
from roles.catalogue import Permission


def _everyone(authority: Authority) -> bool:
    return True


class Step(NamedTuple):
    """One thing to do, and the page where it is done; `shown` where fewer may open it than see the card."""

    text: str | Promise
    url_name: str
    shown: Callable[[Authority], bool] = _everyone


class Card(NamedTuple):
    """What one kind of person does first."""

    title: str | Promise
    icon: str
    about: str | Promise
    steps: tuple[Step, ...]
    shown: Callable[[Authority], bool]


def _gives_directory_roles(authority: Authority) -> bool:
    return any(authority.paths(Permission.ASSIGN, Realm.DIRECTORY))


def _sees_the_directory(authority: Authority) -> bool:
    return authority.allows(Permission.SEE)


def _gives_everywhere(authority: Authority) -> bool:
    return authority.allows(Permission.ASSIGN)


def _sees_people(authority: Authority) -> bool:
    return authority.anywhere(Permission.SEE_PEOPLE)


def _reads_all_of_the_history(authority: Authority) -> bool:
    return authority.allows(Permission.SEE_AUDIT)


def _gives_resource_roles(authority: Authority) -> bool:
    return any(authority.paths(Permission.ASSIGN, Realm.RESOURCE))


def _reads_the_history(authority: Authority) -> bool:
    return authority.anywhere(Permission.SEE_AUDIT)


def _operates(authority: Authority) -> bool:
    return authority.anywhere(Permission.OPERATE)


CARDS: Final = (
    Card(
        _("Use a role"),
        "key-round",
        _("You hold a privileged role only while you need it."),
        (
            Step(_("See what you are eligible for, and activate it"), "approvals:my_roles"),
            Step(_("Watch what you asked for"), "approvals:my_requests"),
            Step(_("Find the role for a task, and whom to ask for it"), "find_role"),
            Step(_("See what your roles allow now"), "access"),
        ),
        _everyone,
    ),
    Card(
        _("Decide and review"),
        "clipboard-check",
        _("What waits for you is counted in the menu, and a mail brings you to it."),
        (
            Step(_("Approve or deny requests"), "approvals:approvals"),
            Step(_("Name a deputy for the time you are away"), "approvals:deputies"),
            Step(_("Review access"), "reviews:reviews"),
            Step(_("Choose which mails you get"), "notifications"),
        ),
        _everyone,
    ),
    Card(
        _("Administer directory roles"),
        "package",
        _("Make people eligible, and set the rules of each role."),
        (
            Step(_("Make somebody eligible"), "directory:assignments_add", _gives_everywhere),
            Step(_("Set who approves, for how long, what is asked"), "directory:settings", _sees_the_directory),
            Step(_("Start an access review"), "directory:reviews", _sees_the_directory),
            Step(_("Invite people, make groups"), "people", _sees_people),
        ),
        _gives_directory_roles,
    ),
    Card(
        _("Administer resources"),
        "server",
        _("What is given at a resource reaches everything below it."),
        (Step(_("Choose a resource: its roles, assignments, settings"), "resources"),),
        _gives_resource_roles,
    ),
    Card(
        _("Audit"),
        "scroll-text",
        _("Everything is recorded and sealed; nobody can change it unseen."),
        (
            Step(_("Read and download the history"), "audit"),
            Step(_("Verify it"), "audit_verification", _reads_all_of_the_history),
        ),
        _reads_the_history,
    ),
    Card(
        _("Operate the portal"),
        "heart-pulse",
        _("See that the worker runs, mails leave and the history is sealed."),
        (Step(_("Look at its health"), "health"), Step(_("Look at mails that were set aside"), "mails")),
        _operates,
    ),
)


def cards_for(authority: Authority) -> list[Card]:
    """Return the cards of what somebody can do now."""
    cards = [card for card in CARDS if card.shown(authority)]
    cards = [card._replace(steps=tuple(one for one in card.steps if one.shown(authority))) for card in cards]
    return [card for card in cards if card.steps]

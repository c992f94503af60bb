"""The words of the product, with what they mean: those of DESIGN.md §2, in the order in which somebody meets them."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Word(NamedTuple):
    """A word, the anchor that headings link to, and what it means."""

    slug: str
    word: str | Promise
    meaning: str | Promise


WORDS: Final = (
    Word(
        "role",
        _("Role"),
        _(
            "What somebody may do, under a name. Its kind says where it can be held: in the directory, at "
            "resources, in a group."
        ),
    ),
    Word(
        "resource",
        _("Resource"),
        _(
            "Where a role is held: the directory with its administrative units, or a resource root with what"
            " lies below it. What is held at a resource is held below it, too."
        ),
    ),
    Word("assignment", _("Assignment"), _("Somebody, or a group, has a role at a resource, from a start to an end.")),
    Word(
        "type",
        _("Type: eligible or active"),
        _("Eligible: the role must be activated before it can be used. Active: it needs no action."),
    ),
    Word(
        "state",
        _("State: assigned or activated"),
        _("Of what is active: assigned by an administrator, or activated from an eligible assignment."),
    ),
    Word(
        "duration",
        _("Duration"),
        _("Permanent: without an end. Otherwise it expires at its end, to the second, whatever else stands still."),
    ),
    Word(
        "membership",
        _("Membership: direct, group or inherited"),
        _("Held by oneself, through a group, or from a resource above."),
    ),
    Word(
        "activation",
        _("Activation"),
        _(
            "An eligible role in use, for some hours, for a reason. It ends by itself and can be deactivated"
            " earlier or prolonged as the settings allow."
        ),
    ),
    Word(
        "scope",
        _("Scope"),
        _("Where an activation counts: at the resource of the assignment, or only at one below it."),
    ),
    Word(
        "settings",
        _("Role settings"),
        _(
            "The rules of a role at a resource: how long, what is asked, who approves, who is told. A "
            "resource without its own takes those of the nearest one above."
        ),
    ),
    Word(
        "request",
        _("Request"),
        _(
            "What waits for somebody’s decision: to activate, prolong, extend or renew, or to change "
            "settings. It lapses when nobody answers."
        ),
    ),
    Word("requestor", _("Requestor"), _("Who asked. Nobody decides their own request.")),
    Word(
        "approver",
        _("Approver"),
        _("Who may decide a request: whom the settings name, or whoever administers the role."),
    ),
    Word(
        "decision",
        _("Decision"),
        _("What an approver said, and why. An approver may shorten what was asked, never widen it."),
    ),
    Word(
        "extend",
        _("Extend, renew, prolong"),
        _(
            "Extend: move the end of an assignment that runs. Renew: give it anew after its end. Prolong: "
            "keep an activation for longer."
        ),
    ),
    Word(
        "second-factor", _("Second factor"), _("The code of an authenticator app. What matters asks for a fresh one.")
    ),
    Word(
        "access-review",
        _("Access review"),
        _(
            "A look, once or regularly, at whether people still need what they hold. Each of its occurrences"
            " is an instance."
        ),
    ),
    Word("alert", _("Alert and incident"), _("A risky condition, and one case of it.")),
    Word(
        "seal",
        _("Seal"),
        _("A signature over a batch of the history: nobody can change what was sealed without its being seen."),
    ),
)

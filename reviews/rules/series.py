"""The rules of making and changing a series (pim-behaviour.md §7.1)."""

from __future__ import annotations

import uuid
import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviews.calendar import LONGEST
from reviews.models import Covers, Frequency, IfUnanswered, ReviewersKind
from roles.refusals import Rule, Violation
from roles.rules.asked import second_factor_missing
from roles.text import MAX_NAME, MAX_REASON, is_visible

SLACK: Final = timedelta(minutes=5)  # how long filling in a form may take
HORIZON: Final = timedelta(days=3 * 365)  # how far ahead a first start may lie
MOST_STAGES: Final = 2
MOST_INACTIVE: Final = 730  # days
MOST_LOOK_BACK: Final = 365  # days
MOST_OCCURRENCES: Final = 500
MOST_PRINCIPALS: Final = 100  # named in one stage, or to be told

Ids = frozenset[uuid.UUID]


@dataclass(frozen=True, slots=True)
class StageWanted:
    """Who is to review in one stage and for how many days."""

    kind: ReviewersKind
    days: int
    reviewers: Ids = frozenset()
    fallbacks: Ids = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series as somebody wants it."""

    name: str
    roles: Ids
    starts_at: datetime
    zone: str
    stages: tuple[StageWanted, ...]
    description: str = ""
    frequency: Frequency = Frequency.ONCE
    ends_on: date | None = None
    occurrences: int | None = None
    told: Ids = frozenset()
    covers: Covers = Covers.BOTH
    inherited: bool = False
    inactive_days: int | None = None
    recommendations: bool = True
    look_back_days: int = 30
    reason_required: bool = False
    auto_apply: bool = False
    if_unanswered: IfUnanswered = IfUnanswered.NO_CHANGE
    mails: bool = True
    reminders: bool = True
    mail_text: str = ""

    @property
    def days(self) -> int:
        return sum(stage.days for stage in self.stages)

    @property
    def principals(self) -> Ids:
        return self.told.union(*(stage.reviewers | stage.fallbacks for stage in self.stages))


@dataclass(frozen=True, slots=True)
class Before:
    """What a change meets: the series as it was."""

    starts_at: datetime
    kinds: tuple[ReviewersKind, ...]
    fallbacks: tuple[bool, ...]
    started: bool
    running: bool
    deleted: bool
    roles: Ids
    starting: bool


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What is known when a series is made, or changed (`before`). `uncovered`: rows without a reviewer, by stage."""

    wanted: Wanted
    now: datetime
    allowed: bool
    second_factor: bool
    roles_there: int
    principals_known: int
    retired: bool
    uncovered: tuple[int, ...]
    before: Before | None = None


def not_allowed(facts: SeriesFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not manage access reviews here."))
    return None


def deleted(facts: SeriesFacts) -> Violation | None:
    if facts.before is not None and facts.before.deleted:
        return Violation("deleted", _("This access review was deleted."))
    return None


def retired(facts: SeriesFacts) -> Violation | None:
    if facts.retired:
        return Violation("retired", _("This place is retired; nobody holds anything here any more."))
    return None


def name_missing(facts: SeriesFacts) -> Violation | None:
    if not is_visible(facts.wanted.name):
        return Violation("name_missing", _("Give the review a name."), "name")
    return None


def text_too_long(facts: SeriesFacts) -> Violation | None:
    sentence = _("This is too long: at most %(limit)s characters.")
    if len(facts.wanted.name) > MAX_NAME:
        return Violation("name_too_long", sentence % {"limit": MAX_NAME}, "name")
    for field in ("description", "mail_text"):
        if len(getattr(facts.wanted, field)) > MAX_REASON:
            return Violation("text_too_long", sentence % {"limit": MAX_REASON}, field)
    return None


def no_role(facts: SeriesFacts) -> Violation | None:
    if not facts.wanted.roles:
        return Violation("no_role", _("Choose at least one role."), "roles")
    if facts.roles_there < len(facts.wanted.roles):
        return Violation("role_elsewhere", _("One of these roles cannot be assigned here."), "roles")
    return None


def roles_changed(facts: SeriesFacts) -> Violation | None:
    before = facts.before
    if before is not None and before.starting and before.roles != facts.wanted.roles:
        sentence = _("An instance is just starting: its assignments are being gathered. Change the roles after that.")
        return Violation("starting", sentence, "roles")
    return None


def start_wrong(facts: SeriesFacts) -> Violation | None:
    start, before = facts.wanted.starts_at, facts.before
    if before is not None and start == before.starts_at:
        return None
    if before is not None and before.started:
        sentence = _("The first instance has started: its start can no longer be changed.")
        return Violation("started", sentence, "starts_at")
    if start < facts.now - SLACK:
        return Violation("start_in_past", _("The start lies in the past. Choose now, or a later time."), "starts_at")
    if start > facts.now + HORIZON:
        sentence = _("The start may lie at most %(days)s days ahead.")
        return Violation("start_too_far", sentence % {"days": HORIZON.days}, "starts_at")
    return None


def zone_unknown(facts: SeriesFacts) -> Violation | None:
    try:
        zoneinfo.ZoneInfo(facts.wanted.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return Violation("zone_unknown", _("This time zone is not known."))
    return None


def duration_wrong(facts: SeriesFacts) -> Violation | None:
    wanted, longest = facts.wanted, LONGEST[facts.wanted.frequency]
    if any(stage.days < 1 for stage in wanted.stages):
        return Violation("too_short", _("Each stage lasts at least a day."), "days_1")
    if wanted.days > longest:
        sentence = _("With this frequency an instance may last at most %(longest)s days, all stages together.")
        return Violation("too_long", sentence % {"longest": longest}, "days_1")
    return None


def end_wrong(facts: SeriesFacts) -> Violation | None:
    wanted = facts.wanted
    if wanted.ends_on is not None and wanted.occurrences is not None:
        return Violation("two_ends", _("A series ends by date or by number, not both."), "ends_on")
    if wanted.ends_on is not None and wanted.ends_on < _first_day(wanted):
        return Violation("ends_before_start", _("The series would end before it starts."), "ends_on")
    if wanted.occurrences is not None and not 1 <= wanted.occurrences <= MOST_OCCURRENCES:
        sentence = _("Choose between 1 and %(most)s instances.")
        return Violation("occurrences", sentence % {"most": MOST_OCCURRENCES}, "occurrences")
    return None


def _first_day(wanted: Wanted) -> date:
    """The day of the start on the clock of the series; an unknown clock is another rule's."""
    try:
        return wanted.starts_at.astimezone(zoneinfo.ZoneInfo(wanted.zone)).date()
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return wanted.starts_at.date()


def days_wrong(facts: SeriesFacts) -> Violation | None:
    sentence = _("Choose between 1 and %(most)s days.")
    inactive = facts.wanted.inactive_days
    if inactive is not None and not 1 <= inactive <= MOST_INACTIVE:
        return Violation("inactive_days", sentence % {"most": MOST_INACTIVE}, "inactive_days")
    if not 1 <= facts.wanted.look_back_days <= MOST_LOOK_BACK:
        return Violation("look_back_days", sentence % {"most": MOST_LOOK_BACK}, "look_back_days")
    return None


def stages_wrong(facts: SeriesFacts) -> Violation | None:
    stages = facts.wanted.stages
    if not 1 <= len(stages) <= MOST_STAGES:
        sentence = _("A review has between 1 and %(most)s stages.")
        return Violation("stages", sentence % {"most": MOST_STAGES})
    for number, stage in enumerate(stages, start=1):
        if stage.kind == ReviewersKind.CHOSEN and not stage.reviewers:
            return Violation("no_reviewers", _("Choose who reviews."), f"reviewers_{number}")
    if max(len(one) for stage in stages for one in (stage.reviewers, stage.fallbacks)) > MOST_PRINCIPALS:
        sentence = _("Choose at most %(most)s users and groups; a group can have any number of members.")
        return Violation("too_many_reviewers", sentence % {"most": MOST_PRINCIPALS})
    return None


def told_wrong(facts: SeriesFacts) -> Violation | None:
    if len(facts.wanted.told) > MOST_PRINCIPALS:
        sentence = _("Choose at most %(most)s users and groups; a group can have any number of members.")
        return Violation("too_many_told", sentence % {"most": MOST_PRINCIPALS}, "told")
    return None


def unknown_principal(facts: SeriesFacts) -> Violation | None:
    if facts.principals_known < len(facts.wanted.principals):
        return Violation("unknown_principal", _("One of the users and groups that you chose is not known any more."))
    return None


def kinds_changed(facts: SeriesFacts) -> Violation | None:
    before = facts.before
    if before is not None and before.running and before.kinds != tuple(one.kind for one in facts.wanted.stages):
        sentence = _("While an instance runs, its stages and their kind of reviewers stay; people can be changed.")
        return Violation("running", sentence, "kind_1")
    return None


def fallbacks_emptied(facts: SeriesFacts) -> Violation | None:
    before = facts.before
    if before is None:
        return None
    for number, (had, stage) in enumerate(zip(before.fallbacks, facts.wanted.stages, strict=False), start=1):
        if had and not stage.fallbacks and stage.kind == ReviewersKind.MANAGERS:
            sentence = _("Keep at least one fallback reviewer.")
            return Violation("fallbacks_emptied", sentence, f"fallbacks_{number}")
    return None


def nobody_to_review(facts: SeriesFacts) -> Violation | None:
    for number, count in enumerate(facts.uncovered, start=1):
        if count:
            sentence = ngettext(
                "%(count)s assignment would have nobody to review it. Choose fallback reviewers.",
                "%(count)s assignments would have nobody to review them. Choose fallback reviewers.",
                count,
            )
            return Violation("uncovered", sentence % {"count": count}, f"fallbacks_{number}")
    return None


SERIES: Final[tuple[Rule[SeriesFacts], ...]] = (
    not_allowed,
    second_factor_missing,
    deleted,
    retired,
    name_missing,
    text_too_long,
    no_role,
    roles_changed,
    start_wrong,
    zone_unknown,
    duration_wrong,
    end_wrong,
    days_wrong,
    stages_wrong,
    told_wrong,
    unknown_principal,
    kinds_changed,
    fallbacks_emptied,
    nobody_to_review,
)

"""The access reviews of the sample: one that ended and was applied, one that runs, one of resources that removed.

Played through the services on the loader's timeline, as everything else: made, started, decided, ended and applied by
the people and the worker of that time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from reviews.models import AccessReview, Frequency, Opinion, ReviewersKind, Verdict
from reviews.rules.series import StageWanted, Wanted
from reviews.services.applying import apply
from reviews.services.clockwork import keep_reviews_going
from reviews.services.deciding import Saying, decide
from reviews.services.series import create_review
from roles.ids import DIRECTORY
from roles.models import AssignmentType, Purpose
from roles.services.assignments import assign

if TYPE_CHECKING:
    from pim_portal.demo.loader import Loader

STEPS: Final = 50
PAYMENTS: Final = "Quillhaven/Payments"

# What reviewers of the finished review said of whom, and why; of the rest they said nothing.
SAID: Final[Mapping[str, tuple[Opinion, str]]] = {
    "liwei": (Opinion.DENY, "The tenant migration is finished"),
    "jonas": (Opinion.APPROVE, "Head of platform"),
    "priya": (Opinion.APPROVE, "Head of identity"),
    "marta": (Opinion.APPROVE, "Stands in for the head of platform"),
}


def plan_reviews(loader: Loader) -> None:
    """Put the reviews on the timeline of the loader."""
    _put(loader, -52, lambda now: _make_finished(loader, now))
    _put(loader, -140, lambda now: _give_figures(loader, now))
    _put(loader, -28, lambda now: _make_of_resources(loader, now))
    _put(loader, -4, lambda now: _make_running(loader, now))


def _put(loader: Loader, days: float, act: Callable[[datetime], None]) -> None:
    loader.timeline.put(loader.now + timedelta(days=days), act)


def turn(now: datetime) -> None:
    """Let the worker of that time do what is due."""
    while keep_reviews_going(clock=lambda: now, limit=STEPS) >= STEPS:
        pass


def _roles(loader: Loader, *names: str) -> frozenset[uuid.UUID]:
    return frozenset(loader.roles["directory", name].pk for name in names)


def _people(loader: Loader, *usernames: str) -> frozenset[uuid.UUID]:
    return frozenset(loader.users[name].pk for name in usernames)


def _make(loader: Loader, who: str, wanted: Wanted, now: datetime) -> AccessReview:
    actor = loader.acting(who, Purpose.ASSIGN, DIRECTORY, now)
    return create_review(DIRECTORY, wanted, actor=actor, clock=lambda: now)


def _make_finished(loader: Loader, now: datetime) -> None:
    wanted = Wanted(
        name="Global Administrator, quarterly",
        description="Who still needs the most powerful role of the directory?",
        roles=_roles(loader, "Global Administrator"),
        starts_at=now,
        zone="Europe/Berlin",
        frequency=Frequency.QUARTERLY,
        stages=(StageWanted(ReviewersKind.CHOSEN, 14, _people(loader, "sven", "kaisa")),),
        told=_people(loader, "noor"),
        reason_required=True,
    )
    review = _make(loader, "priya", wanted, now)
    turn(now)
    _put(loader, -47, lambda then: _decide(loader, review, "sven", SAID, then))
    _put(loader, -37, turn)
    _put(loader, -36, lambda then: _apply(loader, review, then))


def _make_running(loader: Loader, now: datetime) -> None:
    wanted = Wanted(
        name="Directory roles of the teams",
        description="Yearly check by the people who know the work: does everybody still need what they may activate?",
        roles=_roles(
            loader,
            "Exchange Administrator",
            "Global Administrator",
            "Helpdesk Administrator",
            "License Administrator",
            "Reports Reader",
            "SharePoint Administrator",
            "User Administrator",
        ),
        starts_at=now + timedelta(days=1),
        zone="Europe/Berlin",
        frequency=Frequency.ANNUALLY,
        stages=(StageWanted(ReviewersKind.MANAGERS, 14, frozenset(), _people(loader, "jonas", "priya")),),
        mail_text="Please look at each line, also where you are sure. Ask Priya Raman if in doubt.",
    )
    review = _make(loader, "jonas", wanted, now)
    _put(loader, -3, turn)
    said = dict.fromkeys(("liwei",), (Opinion.APPROVE, "Works with it every week"))
    _put(loader, -2, lambda then: _decide(loader, review, "amelie", said, then))


def _give_figures(loader: Loader, now: datetime) -> None:
    """What the review of resources removes: it needs a past of its own."""
    rafael, place = loader.users["rafael"], loader.places[PAYMENTS]
    assign(
        rafael.pk,
        role=loader.roles["resource", "Cost Management Reader"],
        resource=place,
        type=AssignmentType.ACTIVE,
        reason="Forecast of the half-year",
        actor=loader.acting("olu", Purpose.ASSIGN, rafael.pk, now),
        clock=lambda: now,
    )


def _make_of_resources(loader: Loader, now: datetime) -> None:
    place = loader.places[PAYMENTS]
    wanted = Wanted(
        name="Who reads the payments",
        description="Everybody who sees resources and costs of Payments, members of groups one by one.",
        roles=frozenset(loader.roles["resource", name].pk for name in ("Reader", "Cost Management Reader")),
        starts_at=now,
        zone="Europe/Berlin",
        frequency=Frequency.SEMI_ANNUALLY,
        stages=(StageWanted(ReviewersKind.CHOSEN, 10, _people(loader, "tom", "chidinma")),),
        auto_apply=True,
    )
    actor = loader.acting("olu", Purpose.ASSIGN, place.pk, now)
    review = create_review(place.pk, wanted, actor=actor, clock=lambda: now)
    turn(now)
    first = {
        "rafael": (Opinion.APPROVE, "Makes the forecast"),
        "tom": (Opinion.APPROVE, "Answers for the services"),
        "temitope": (Opinion.DENY, "Works on the acquiring services now"),
    }
    second = {
        "rafael": (Opinion.DENY, "The forecast is done by Finance since October"),
        "chidinma": (Opinion.APPROVE, "Director of payments"),
    }
    _put(loader, -25, lambda then: _decide(loader, review, "chidinma", first, then))
    _put(loader, -20, lambda then: _decide(loader, review, "tom", second, then))
    _put(loader, -17.9, turn)


def _decide(
    loader: Loader, review: AccessReview, who: str, said: Mapping[str, tuple[Opinion, str]], now: datetime
) -> None:
    instance = review.instances.get(number=1)
    people = {loader.users[name].pk: words for name, words in said.items()}
    rows = Verdict.objects.filter(instance=instance, principal__in=people)
    sayings = [Saying(row.pk, *people[row.principal_id]) for row in rows]
    actor = loader.acting(who, Purpose.DECIDE, instance.pk, now)
    decide(instance.pk, sayings, actor=actor, clock=lambda: now)


def _apply(loader: Loader, review: AccessReview, now: datetime) -> None:
    instance = review.instances.get(number=1)
    apply(instance.pk, actor=loader.acting("priya", Purpose.ASSIGN, instance.pk, now), clock=lambda: now)
    turn(now)

"""Reviews in tests: made, started and decided through the services, a week of days at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from reviews.models import AccessReview, Instance, Opinion, ReviewersKind, Verdict
from reviews.rules.series import StageWanted, Wanted
from reviews.services.clockwork import keep_reviews_going
from reviews.services.deciding import Saying, decide
from reviews.services.series import create_review
from roles.models import Principal, Purpose, Resource, Role, User
from tests.people import NOW, OPERATOR, acting, at, directory

WEEK = 7


def chosen(*reviewers: Principal, days: int = WEEK, fallbacks: Iterable[Principal] = ()) -> StageWanted:
    """A stage of chosen users and groups."""
    return StageWanted(ReviewersKind.CHOSEN, days, _ids(reviewers), _ids(fallbacks))


def managers(*fallbacks: Principal, days: int = WEEK) -> StageWanted:
    """A stage of the managers, with these to stand in."""
    return StageWanted(ReviewersKind.MANAGERS, days, frozenset(), _ids(fallbacks))


def themselves(*fallbacks: Principal, days: int = WEEK) -> StageWanted:
    """A stage of self review, with these to stand in for groups."""
    return StageWanted(ReviewersKind.SELF, days, frozenset(), _ids(fallbacks))


def _ids(principals: Iterable[Principal]) -> frozenset[Any]:
    return frozenset(one.pk for one in principals)


def wanted(*roles: Role, stages: Iterable[StageWanted], now: datetime = NOW, **values: Any) -> Wanted:
    values = {"name": "Quarterly check", "zone": "UTC", "starts_at": now, **values}
    return Wanted(roles=frozenset(one.pk for one in roles), stages=tuple(stages), **values)


def make_review(
    *roles: Role,
    stages: Iterable[StageWanted],
    place: Resource | None = None,
    now: datetime = NOW,
    **values: Any,
) -> AccessReview:
    """Make a series as the operator; it starts now unless `starts_at` says otherwise."""
    where = place or directory()
    return create_review(where.pk, wanted(*roles, stages=stages, now=now, **values), actor=OPERATOR, clock=at(now))


def turn(now: datetime = NOW) -> None:
    """Let the sweep do all that is due."""
    while keep_reviews_going(clock=at(now), limit=50) >= 50:
        pass


def started(*roles: Role, stages: Iterable[StageWanted], now: datetime = NOW, **values: Any) -> Instance:
    """Make a review and start it at once."""
    review = make_review(*roles, stages=stages, now=now, **values)
    turn(now)
    return fresh(review.instances.get(number=1))


def fresh(instance: Instance) -> Instance:
    """The instance as it is now."""
    return Instance.objects.select_related("review__resource").get(pk=instance.pk)


def row_of(instance: Instance, principal: Principal, **narrow: Any) -> Verdict:
    return Verdict.objects.get(instance=instance, principal=principal, **narrow)


def say(
    instance: Instance,
    reviewer: User,
    verdict: Opinion,
    *rows: Verdict,
    reason: str = "looked at it",
    now: datetime = NOW,
) -> int:
    """Decide as a reviewer does on the page."""
    sayings = [Saying(row.pk, verdict, reason) for row in rows]
    return decide(instance.pk, sayings, actor=acting(reviewer, Purpose.DECIDE, instance.pk, now=now), clock=at(now))


def manage(user: User, instance: Instance, now: datetime = NOW) -> Any:
    """An administrator with a step-up for acting on this instance."""
    return acting(user, Purpose.ASSIGN, instance.pk, now=now)

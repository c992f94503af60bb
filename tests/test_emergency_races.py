"""An emergency against itself and against what takes it away, and its review against itself: one outcome each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import EmergencyReview, Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.activations import Wanted
from approvals.services.decisions import approve
from approvals.services.emergencies import break_glass
from approvals.services.emergency_reviews import close_review
from audit.kinds import Kind
from roles import ids
from roles.models import Assignment, Purpose, User
from roles.refusals import Refused
from roles.services.assignments import remove
from roles.services.principals import disable_person
from tests.emergencies import break_it, glass_allowed
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    give,
    person,
    request_activation,
    role,
)
from tests.races import race
from tests.told import done

pytestmark = pytest.mark.django_db(transaction=True)
SOON = at(NOW + MINUTE)


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    people = {name: person(name) for name in ("ines", "adam", "petra")}
    give(people["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


@pytest.fixture
def eligible(cast) -> Assignment:
    return glass_allowed(cast["ines"], EXCHANGE_ADMINISTRATOR, cast["adam"])


def breaking(user: User, eligibility: Assignment) -> Callable[[], Request]:
    actor = acting(user, Purpose.BREAK_GLASS, eligibility.pk)
    wanted = Wanted(duration=HOUR, reason="on fire")
    return lambda: break_glass(eligibility.pk, wanted=wanted, actor=actor, clock=SOON)


def closing(user: User, request: Request, finding: str, **kwargs: Any) -> Callable[[], EmergencyReview]:
    actor = acting(user, Purpose.DECIDE, request.pk)
    return lambda: close_review(request.pk, justified=True, finding=finding, actor=actor, clock=SOON, **kwargs)


def codes(error: BaseException | None) -> set[str]:
    assert isinstance(error, Refused), error
    return error.codes


def activations(eligibility: Assignment) -> int:
    return Assignment.objects.filter(activated_from=eligibility).count()


def test_twice_at_once_is_one_emergency(cast, eligible):
    first, second = race(breaking(cast["ines"], eligible), breaking(cast["ines"], eligible))
    assert first.error is None
    assert codes(second.error) == {"already_active"}
    assert activations(eligible) == done(Kind.EMERGENCY_STARTED) == EmergencyReview.objects.count() == 1


def test_closing_twice_at_once_is_one_finding(cast, eligible):
    request = break_it(cast["ines"], eligible)
    first, second = race(closing(cast["adam"], request, "Adam"), closing(cast["petra"], request, "Petra", end_now=True))
    assert first.error is None
    assert codes(second.error) == {"closed"}
    assert EmergencyReview.objects.get().finding == "Adam"
    assert done(Kind.EMERGENCY_REVIEWED) == 1
    assert done(Kind.ACTIVATION_ENDED) == 0


def test_an_emergency_while_its_eligibility_is_removed_finds_none(cast, eligible):
    removal = lambda: remove(eligible.pk, actor=OPERATOR, clock=SOON)  # noqa: E731
    first, second = race(removal, breaking(cast["ines"], eligible))
    assert first.error is None
    assert codes(second.error) == {"not_eligible"}
    assert activations(eligible) == 0


def test_removing_the_eligibility_of_an_emergency_that_commits_ends_it(cast, eligible):
    first, second = race(
        breaking(cast["ines"], eligible), lambda: remove(eligible.pk, actor=OPERATOR, clock=at(NOW + 2 * MINUTE))
    )
    assert (first.error, second.error) == (None, None)
    row = Assignment.objects.get(activated_from=eligible)
    assert row.ended_at == NOW + 2 * MINUTE
    assert EmergencyReview.objects.open().count() == 1


def test_an_emergency_before_the_approval_of_what_waits_leaves_one_activation(cast, eligible):
    waiting = request_activation(cast["ines"], eligible)
    first, second = race(breaking(cast["ines"], eligible), _approving(cast["adam"], waiting))
    assert first.error is None
    assert codes(second.error) == {"cancelled"}
    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    assert activations(eligible) == done(Kind.EMERGENCY_STARTED) == done(Kind.ACTIVATION_STARTED) == 1


def test_an_emergency_after_the_approval_of_what_waits_is_refused(cast, eligible):
    waiting = request_activation(cast["ines"], eligible)
    first, second = race(_approving(cast["adam"], waiting), breaking(cast["ines"], eligible))
    assert first.error is None
    assert codes(second.error) == {"already_active"}
    waiting.refresh_from_db()
    assert waiting.status == Status.GRANTED
    assert activations(eligible) == 1
    assert not EmergencyReview.objects.exists()


def _approving(user: User, request: Request) -> Callable[[], Request]:
    actor, seen = acting(user, Purpose.DECIDE, request.pk), shown_digest(request)
    return lambda: approve(request.pk, actor=actor, justification="ok", seen=seen, clock=SOON)


def test_who_is_disabled_meanwhile_closes_nothing(cast, eligible):
    request = break_it(cast["ines"], eligible)
    disabling = lambda: disable_person(cast["adam"].pk, reason="left", actor=OPERATOR, clock=SOON)  # noqa: E731
    first, second = race(disabling, closing(cast["adam"], request, "Adam"))
    assert first.error is None
    assert codes(second.error) == {"not_a_reviewer"}
    assert EmergencyReview.objects.open().count() == 1

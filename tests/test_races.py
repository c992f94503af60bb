"""Two at once: one outcome, one set of events, told to the loser in a sentence."""

from __future__ import annotations

import itertools

import pytest
from django_otp.oath import totp

from approvals.models import Decision, Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.activations import Wanted, ask
from approvals.services.closing import cancel, lapse_overdue
from approvals.services.decisions import approve, deny
from audit.kinds import Kind
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, EndReason, Purpose, Resource, ResourceKind, StepUp, TotpDevice, User
from roles.refusals import Refused
from roles.selectors.administrators import lasting_administrators
from roles.services import step_ups
from roles.services.assignments import deactivate, remove
from roles.services.ends import write_down_ends
from roles.services.locks import lock_principal
from roles.services.principals import disable_person
from roles.services.resources import add_resource
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    SESSION,
    acting,
    at,
    configure,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.races import at_once, race
from tests.told import done

pytestmark = pytest.mark.django_db(transaction=True)
SOON = at(NOW + MINUTE)


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    people = {name: person(name) for name in ("ines", "adam", "berta", "petra", "paul")}
    for name in ("petra", "paul"):
        give(people[name], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


@pytest.fixture
def eligible(cast) -> Assignment:
    made = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    configure(made.role, approvers=[cast["adam"], cast["berta"]])
    return made


@pytest.fixture
def pending(cast, eligible) -> Request:
    return request_activation(cast["ines"], eligible)


def _acts(cast, pending, eligible):
    def decide(service, name):
        actor = acting(cast[name], Purpose.DECIDE, pending.pk)
        seen = shown_digest(pending)
        return lambda: service(pending.pk, actor=actor, justification="ok", seen=seen, clock=SOON)

    return {
        "approve": decide(approve, "adam"),
        "approve too": decide(approve, "berta"),
        "deny": decide(deny, "berta"),
        "cancel": lambda: cancel(pending.pk, actor=Actor(user=cast["ines"]), clock=SOON),
    }


ENDS = {"approve": Status.GRANTED, "approve too": Status.GRANTED, "deny": Status.DENIED, "cancel": Status.CANCELLED}
KINDS = {
    Status.GRANTED: Kind.REQUEST_APPROVED,
    Status.DENIED: Kind.REQUEST_DENIED,
    Status.CANCELLED: Kind.REQUEST_CANCELLED,
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ENDS, 2)))
def test_the_first_decides_and_the_second_is_told(first, second, cast, pending, eligible):
    acts = _acts(cast, pending, eligible)
    winner, loser = race(acts[first], acts[second])
    assert winner.error is None
    assert isinstance(loser.error, Refused), loser
    assert loser.error.codes & {"granted", "denied", "cancelled", "over"}
    pending.refresh_from_db()
    assert pending.status == ENDS[first]
    assert [done(kind) for kind in KINDS.values()] == [int(kind == KINDS[ENDS[first]]) for kind in KINDS.values()]
    assert Assignment.objects.filter(activated_from=eligible).count() == int(ENDS[first] == Status.GRANTED)


def test_an_approval_that_waits_for_a_removal_is_refused(cast, pending, eligible):
    removal, approval = race(
        lambda: remove(eligible.pk, actor=OPERATOR, clock=SOON), _acts(cast, pending, eligible)["approve"]
    )
    assert removal.error is None
    assert isinstance(approval.error, Refused)
    assert not Assignment.objects.filter(activated_from=eligible).exists()


def test_a_removal_that_waits_for_an_approval_ends_what_it_gave(cast, pending, eligible):
    approval, removal = race(
        _acts(cast, pending, eligible)["approve"], lambda: remove(eligible.pk, actor=OPERATOR, clock=SOON)
    )
    assert (approval.error, removal.error) == (None, None)
    assert Assignment.objects.get(activated_from=eligible).end_reason == EndReason.ELIGIBILITY_ENDED


def test_a_decision_reads_the_clock_after_its_lock(cast, pending):
    """The request lapsed while its approver waited for the lock: an end is an end."""
    lapse = pending.lapses_at
    time = [lapse - MINUTE]
    actor = acting(cast["adam"], Purpose.DECIDE, pending.pk, now=lapse)
    _first, second = race(
        lambda: lock_principal(cast["ines"].pk),
        lambda: approve(pending.pk, actor=actor, justification="ok", seen=shown_digest(pending), clock=lambda: time[0]),
        meanwhile=lambda: time.__setitem__(0, lapse),
    )
    assert isinstance(second.error, Refused), second
    assert "lapsed" in second.error.codes


def test_a_double_click_asks_once(cast, eligible):
    ines = cast["ines"]
    wanted = Wanted(HOUR, "needed")
    actors = [acting(ines, Purpose.ACTIVATE, eligible.pk) for _ in range(2)]
    acts = [lambda actor=actor: ask(eligible.pk, wanted=wanted, actor=actor, clock=at(NOW)) for actor in actors]
    first, second = race(*acts)
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert second.error.codes == {"already_asked"}
    assert Request.objects.count() == 1


def test_one_step_up_is_spent_once(cast, eligible):
    ines = cast["ines"]
    other = make_eligible(ines, role(ids.USER_ADMINISTRATOR))
    row = acting(ines, Purpose.ACTIVATE).presented
    acts = []
    for one in (eligible, other):
        actor = Actor(user=ines, presented=step_ups.present(StepUp.objects.get(pk=row.step_up), one.pk))
        acts.append(lambda one=one, actor=actor: ask(one.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW)))
    first, second = race(*acts)
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert second.error.codes == {"second_factor"}


def test_many_activate_the_same_role_at_once_and_one_is_active(cast):
    ines = cast["ines"]
    eligible = make_eligible(ines, role(ids.USER_ADMINISTRATOR))
    actors = [acting(ines, Purpose.ACTIVATE, eligible.pk) for _ in range(8)]
    wanted = Wanted(HOUR, "needed")
    acts = [lambda actor=actor: ask(eligible.pk, wanted=wanted, actor=actor, clock=at(NOW)) for actor in actors]
    results = at_once(*acts)
    assert sum(result.error is None for result in results) == 1
    assert {type(result.error) for result in results if result.error} == {Refused}
    assert Assignment.objects.filter(activated_from=eligible).count() == 1
    assert done(Kind.ACTIVATION_STARTED) == 1


def test_many_decide_one_request_at_once_and_it_is_decided_once(cast, ines_and_ten):
    request, approvers = ines_and_ten
    acts = []
    for number, user in enumerate(approvers):
        service = approve if number % 2 else deny
        actor = acting(user, Purpose.DECIDE, request.pk)
        acts.append(
            lambda service=service, actor=actor: service(
                request.pk, actor=actor, justification="ok", seen=shown_digest(request), clock=SOON
            )
        )
    results = at_once(*acts)
    assert sum(result.error is None for result in results) == 1
    assert {type(result.error) for result in results if result.error} == {Refused}
    assert Decision.objects.filter(request=request).count() == 1
    request.refresh_from_db()
    assert request.status in (Status.GRANTED, Status.DENIED)


@pytest.fixture
def ines_and_ten(cast) -> tuple[Request, list[User]]:
    approvers = [person(f"approver{number}") for number in range(10)]
    eligible = make_eligible(cast["ines"], role(ids.SECURITY_ADMINISTRATOR))
    configure(eligible.role, approvers=approvers)
    return request_activation(cast["ines"], eligible), approvers


def test_two_removals_at_once_leave_an_administrator(cast):
    rows = [
        Assignment.objects.get(principal=cast[name], role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        for name in ("petra", "paul")
    ]
    first, second = race(*[lambda row=row: remove(row.pk, actor=OPERATOR, clock=SOON) for row in rows])
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert second.error.codes == {"last_administrator"}
    assert lasting_administrators(NOW + MINUTE) == {cast["paul"].pk}


def test_a_removal_and_a_disabling_at_once_leave_an_administrator(cast):
    row = Assignment.objects.get(principal=cast["petra"], role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    first, second = race(
        lambda: disable_person(cast["paul"].pk, reason="left", actor=OPERATOR, clock=SOON),
        lambda: remove(row.pk, actor=OPERATOR, clock=SOON),
    )
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert lasting_administrators(NOW + MINUTE) == {cast["petra"].pk}


def test_of_two_who_disable_somebody_at_once_the_second_is_told(cast):
    def act() -> User:
        return disable_person(cast["adam"].pk, reason="left", actor=OPERATOR, clock=SOON)

    first, second = race(act, act)
    assert first.error is None
    assert isinstance(second.error, Refused), second
    assert "already_disabled" in second.error.codes
    assert done(Kind.PERSON_DISABLED) == 1


def test_two_sweeps_write_an_end_once(cast, eligible):
    configure(eligible.role, approval_required=False)
    request_activation(cast["ines"], eligible)
    late = at(NOW + 2 * HOUR)
    first, second = race(lambda: write_down_ends(clock=late), lambda: write_down_ends(clock=late))
    assert (first.value, second.value) in ((1, 0), (0, 1)), (first, second)
    assert done(Kind.ACTIVATION_EXPIRED) == 1


def test_two_sweeps_lapse_a_request_once(cast, pending):
    late = at(pending.lapses_at)
    first, second = race(lambda: lapse_overdue(clock=late), lambda: lapse_overdue(clock=late))
    assert first.value + second.value == 1
    assert done(Kind.REQUEST_LAPSED) == 1


def test_a_deactivation_and_the_sweep_write_one_end(cast, eligible):
    configure(eligible.role, approval_required=False)
    activation = request_activation(cast["ines"], eligible).outcome_id
    first, second = race(
        lambda: deactivate(activation, actor=Actor(user=cast["ines"]), clock=at(NOW + HOUR - MINUTE)),
        lambda: write_down_ends(clock=at(NOW + HOUR)),
    )
    assert first.error is None
    assert second.value == 0
    assert done(Kind.ACTIVATION_DEACTIVATED) + done(Kind.ACTIVATION_EXPIRED) == 1


def test_one_code_is_accepted_once_however_many_try_it(cast):
    device = TotpDevice.objects.get(user=cast["ines"])
    token = f"{totp(bytes.fromhex(device.key)):06d}"
    acts = [
        lambda: step_ups.give(
            cast["ines"],
            actor=Actor(user=cast["ines"]),
            device_id=device.persistent_id,
            token=token,
            purpose=Purpose.ACTIVATE,
            session=SESSION,
            clock=at(NOW),
        )
        for _ in range(8)
    ]
    results = at_once(*acts)
    assert sum(result.error is None for result in results) == 1
    assert {type(result.error) for result in results if result.error} == {Refused}


def test_two_new_nodes_below_one_parent_both_stand(cast):
    root = tree("Root")[0]
    first, second = race(
        *[
            lambda name=name: add_resource(
                ResourceKind.SUBSCRIPTION, name=name, parent=root, actor=OPERATOR, clock=SOON
            )
            for name in ("one", "two")
        ]
    )
    assert (first.error, second.error) == (None, None)
    assert Resource.objects.get(pk=root.pk).numchild == 2
    assert len(set(Resource.objects.filter(kind=ResourceKind.SUBSCRIPTION).values_list("path", flat=True))) == 2

"""Two at once over alerts: one outcome, one set of events, whoever comes second."""

from __future__ import annotations

import pytest

from audit.kinds import Kind
from pim_portal.alerts.selectors.fixes import proposal_of
from pim_portal.alerts.services.answering import dismiss
from pim_portal.alerts.services.fixing import fix
from pim_portal.alerts.services.scanning import scan, write_down
from pim_portal.alerts.services.telling import tell_of
from pim_portal.models import Incident, Notification
from roles import ids
from roles.models import Purpose, User
from roles.refusals import Refused
from tests.alerting import alert_of, scanned
from tests.people import EXCHANGE_ADMINISTRATOR, NOW, acting, at, directory, give, make_eligible, person, role
from tests.races import at_once, race
from tests.told import done

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def petra(transactional_db) -> User:
    petra = person("petra")
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    make_eligible(person("ines"), role(EXCHANGE_ADMINISTRATOR))
    return petra


def no_error(*results) -> None:
    assert [one.error for one in results] == [None] * len(results)


def test_two_that_write_down_the_same_raise_it_once(petra):
    alert = alert_of("unused_roles")
    no_error(*race(lambda: write_down(alert, NOW), lambda: write_down(alert, NOW)))
    assert Incident.objects.filter(alert=alert).count() == done(Kind.INCIDENT_RAISED) == 1


def test_two_that_tell_tell_once(petra):
    alert = alert_of("unused_roles")
    write_down(alert, NOW)
    no_error(*race(lambda: tell_of(alert, clock=at(NOW)), lambda: tell_of(alert, clock=at(NOW))))
    assert (done(Kind.ALERT_RAISED), Notification.objects.filter(mail="alert_raised").count()) == (1, 1)


def test_two_scans_at_the_same_moment_leave_one_of_everything(petra):
    no_error(*at_once(*[lambda: scan(clock=at(NOW), seconds=600)] * 2))
    assert Incident.objects.filter(alert__key="unused_roles").count() == 1
    assert done(Kind.INCIDENT_RAISED) == Incident.objects.count()


def test_what_one_dismisses_nobody_fixes(petra):
    incident = scanned("unused_roles")[0]
    proposal = proposal_of(incident)
    first = acting(petra, Purpose.SETTINGS, ids.DIRECTORY)
    second = acting(petra, Purpose.ASSIGN, *proposal.covers)
    place = directory()
    results = race(
        lambda: dismiss("unused_roles", place=place, incidents=None, reason="known", actor=first, clock=at(NOW)),
        lambda: fix(incident.pk, seen=proposal.seen, reason="unused", actor=second, clock=at(NOW)),
    )
    assert results[0].error is None
    assert isinstance(results[1].error, Refused)
    assert "over" in results[1].error.codes
    assert (done(Kind.INCIDENT_DISMISSED), done(Kind.ASSIGNMENT_REMOVED)) == (1, 0)


def test_two_that_fix_the_same_do_it_once(petra):
    incident = scanned("unused_roles")[0]
    proposal = proposal_of(incident)
    actors = [acting(petra, Purpose.ASSIGN, *proposal.covers) for _turn in range(2)]
    acts = [
        lambda actor=actor: fix(incident.pk, seen=proposal.seen, reason="unused", actor=actor, clock=at(NOW))
        for actor in actors
    ]
    results = race(*acts)
    assert [isinstance(one.error, Refused) for one in results] == [False, True]
    assert (done(Kind.INCIDENT_FIXED), done(Kind.ASSIGNMENT_REMOVED)) == (1, 1)

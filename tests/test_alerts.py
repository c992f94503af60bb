"""The life of an incident: found, told of once, dismissed, fixed, resolved; who may do what; what is set."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.kinds import Kind, Outcome
from audit.models import Event
from audit.selectors import own_history_of
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.selectors.fixes import proposal_of
from pim_portal.alerts.selectors.sight import alerts_at, answers_by, incidents_at, may_scan, open_alerts
from pim_portal.alerts.services.answering import change_alert, dismiss, scan_now
from pim_portal.alerts.services.fixing import fix
from pim_portal.alerts.services.scanning import CLAIM, scan
from pim_portal.models import Alert, Incident, Notification, Resolution
from roles import ids
from roles.authority import Authority
from roles.models import Assignment, AssignmentType, Purpose, SecondFactor, User
from roles.refusals import Refused
from roles.selectors.settings import settings_of
from roles.services.changes import change
from tests.alerting import alert_of, scan_everything, scanned, set_alert
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    acting,
    at,
    configure,
    directory,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.told import done

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR


@pytest.fixture
def unused(ines, petra) -> Incident:
    """Ines is eligible and does not use it."""
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    return scanned("unused_roles")[0]


def told(mail: str) -> set[str]:
    return set(Notification.objects.filter(mail=mail).values_list("recipient__name", flat=True))


def dismissed(incident: Incident, user: User, *, reason: str = "known", now=NOW) -> int:
    place = directory()
    actor = acting(user, Purpose.SETTINGS, place.pk, now=now)
    incidents = [incident.pk]
    key = incident.alert.key
    return dismiss(key, place=place, incidents=incidents, reason=reason, actor=actor, clock=at(now))


def fixed(incident: Incident, user: User, *, seen: str | None = None, now=NOW) -> Incident:
    proposal = proposal_of(incident)
    purpose = Purpose.SETTINGS if incident.alert.key == "no_second_factor" else Purpose.ASSIGN
    actor = acting(user, purpose, *proposal.covers, now=now)
    return fix(incident.pk, seen=proposal.seen if seen is None else seen, reason="why", actor=actor, clock=at(now))


class TestScanning:
    def test_an_incident_is_raised_and_told_of_once(self, unused):
        assert scanned("unused_roles", now=LATER) == [unused]
        assert (done(Kind.INCIDENT_RAISED), done(Kind.ALERT_RAISED)) == (1, 1)
        assert told("alert_raised") == {"Petra"}
        assert Notification.objects.filter(mail="alert_raised").count() == 1

    def test_what_is_over_is_resolved_and_told_of_once(self, unused, ines):
        request_activation(ines, unused.assignment, now=NOW + MINUTE)
        assert scanned("unused_roles", now=LATER) == []
        assert scanned("unused_roles", now=LATER + HOUR) == []
        unused.refresh_from_db()
        assert (unused.resolution, unused.resolved_at) == (Resolution.GONE, LATER)
        assert (done(Kind.INCIDENT_RESOLVED), done(Kind.ALERT_RESOLVED)) == (1, 1)
        assert told("alert_resolved") == {"Petra"}

    def test_what_comes_back_is_a_new_incident_and_told_of_anew(self, unused, ines):
        request_activation(ines, unused.assignment, now=NOW + MINUTE)
        scanned("unused_roles", now=LATER)
        again = scanned("unused_roles", now=NOW + 40 * DAY)
        assert [one.pk == unused.pk for one in again] == [False]
        assert done(Kind.ALERT_RAISED) == 2

    def test_a_scan_that_dies_before_telling_tells_the_next_time(self, ines, petra):
        from pim_portal.alerts.services.scanning import write_down

        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        write_down(alert_of("unused_roles"), NOW)
        assert told("alert_raised") == set()
        scanned("unused_roles", now=LATER)
        assert told("alert_raised") == {"Petra"}

    def test_a_scan_claims_each_alert_and_a_dead_one_lets_go_in_time(self, db):
        scan_everything()
        Alert.objects.update(last_scanned_at=None, scanning_until=NOW + CLAIM)
        scan_everything(now=NOW + CLAIM / 2)
        assert not Alert.objects.exclude(last_scanned_at=None).exists()
        scan_everything(now=NOW + CLAIM)
        assert not Alert.objects.filter(last_scanned_at=None).exists()

    def test_each_alert_is_looked_at_once_an_hour(self, db):
        scan_everything()
        scan_everything(now=NOW + HOUR - MINUTE)
        assert set(Alert.objects.values_list("last_scanned_at", flat=True)) == {NOW}
        scan_everything(now=NOW + HOUR)
        assert set(Alert.objects.values_list("last_scanned_at", flat=True)) == {NOW + HOUR}

    def test_a_scan_whose_time_is_over_goes_on_where_it_was(self, ines, petra):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        rounds = 0
        while not scan(clock=at(NOW), seconds=0.0):
            rounds += 1
            assert rounds < 200
        assert Incident.objects.unresolved().filter(alert__key="unused_roles").count() in (0, 1)
        scan_everything(now=NOW + HOUR)
        assert Incident.objects.unresolved().filter(alert__key="unused_roles").count() == 1

    def test_an_alert_that_breaks_does_not_keep_the_others(self, ines, petra, monkeypatch, caplog):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        monkeypatch.setattr(BY_KEY["stale_accounts"], "find", lambda ground: 1 / 0)
        scan_everything()
        assert "stale_accounts could not be scanned" in caplog.text
        assert Incident.objects.filter(alert__key="unused_roles").exists()

    def test_any_number_of_incidents_takes_as_many_queries(self, petra):
        roles = [role(EXCHANGE_ADMINISTRATOR), role(ids.SECURITY_READER), role(ids.USER_ADMINISTRATOR)]
        counts = []
        for number in (1, 12):
            for one in range(number):
                who = person(f"p{number}-{one}", factor=False)
                for what in roles:
                    make_eligible(who, what)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                scanned("unused_roles", now=NOW + number * HOUR)
            counts.append(len(queries))
        assert Incident.objects.filter(alert__key="unused_roles").count() == 39
        assert counts[1] <= counts[0] + 2  # the incidents that are known are looked for in what was found

    def test_without_the_history_nothing_is_written_down(self, ines, petra, monkeypatch):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        monkeypatch.setattr("pim_portal.alerts.services.scanning.write_many", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            scanned("unused_roles")
        assert not Incident.objects.exists()


class TestWorlds:
    def test_each_world_is_told_to_its_own_administrators(self, ines, petra):
        root, below = tree("Contoso", "Production")
        give(person("olga"), role(ids.OWNER), root)
        give(person("otto"), role(ids.OWNER), below)
        set_alert("unused_roles", root, days=10)
        make_eligible(ines, role(ids.READER), root)
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles", root)
        assert told("alert_raised") == {"Olga"}
        scanned("unused_roles")
        assert told("alert_raised") == {"Olga", "Petra"}
        assert open_alerts(root) == open_alerts(directory()) == 1
        assert open_alerts(below) == 0

    def test_an_administrator_further_down_is_told_of_what_stands_there_only(self, ines):
        from pim_portal.notifications.letters.alerts import alert_raised

        root, below = tree("Contoso", "Production")
        give(person("otto"), role(ids.OWNER), below)
        give(person("olga"), role(ids.OWNER), root)
        make_eligible(ines, role(ids.READER), root)
        make_eligible(person("ivo"), role(ids.READER), below)
        scanned("unused_roles", root)
        letters = {
            row.recipient.name: alert_raised(row, NOW) for row in Notification.objects.filter(mail="alert_raised")
        }
        lines = {name: [line[0] for line in letter.sections[0].lines] for name, letter in letters.items()}
        assert lines["Otto"] == ["Ivo, Reader, Production"]
        assert len(lines["Olga"]) == 2
        assert letters["Otto"].path == f"/manage/resources/{below.pk}/alerts/unused_roles/"

    def test_a_place_shows_what_stands_there_and_below(self, ines):
        berlin = unit("Berlin")
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), berlin)
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles")
        kind = BY_KEY["unused_roles"]
        assert (incidents_at(directory(), kind).count(), incidents_at(berlin, kind).count()) == (2, 1)
        assert alerts_at(berlin).get(key="unused_roles").open_count == 1

    def test_the_portal_itself_is_seen_at_the_directory_only(self, db):
        scan_everything()
        keys = {kind.key for kind in BY_KEY.values() if kind.portal_wide}
        assert keys <= set(alerts_at(directory()).values_list("key", flat=True))
        assert not keys & set(alerts_at(unit("Berlin")).values_list("key", flat=True))


ANSWERS = {
    ids.PRIVILEGED_ROLE_ADMINISTRATOR: {"unused_roles", "worker_late"},
    ids.SECURITY_ADMINISTRATOR: {"worker_late"},
    ids.GLOBAL_ADMINISTRATOR: set(),
    ids.SECURITY_READER: set(),
    ids.GLOBAL_READER: set(),
    ids.USER_ADMINISTRATOR: set(),
}


@pytest.mark.parametrize("held", ANSWERS, ids=str)
def test_who_may_answer_which_alert_of_the_directory(ines, held):
    give(ines, role(held))
    authority = Authority(ines, NOW)
    answered = {key for key in ("unused_roles", "worker_late") if answers_by(authority, BY_KEY[key], directory())}
    assert answered == ANSWERS[held]
    assert may_scan(authority, directory()) == bool(answered)


@pytest.mark.parametrize(
    ("held", "allowed"),
    [(ids.OWNER, True), (ids.USER_ACCESS_ADMINISTRATOR, True), (ids.READER, False)],
    ids=["owner", "user_access_administrator", "reader"],
)
def test_who_may_answer_an_alert_of_a_resource(ines, petra, held, allowed):
    root, below = tree("Contoso", "Production")
    other = tree("Fabrikam")[0]
    give(ines, role(held), below)
    kind = BY_KEY["unused_roles"]
    authority = Authority(ines, NOW)
    assert [answers_by(authority, kind, place) is not None for place in (below, root, other)] == [allowed, False, False]
    assert answers_by(Authority(petra, NOW), kind, below) is None


class TestDismissing:
    def test_it_is_not_open_while_it_lasts(self, unused, petra):
        assert dismissed(unused, petra) == 1
        assert [one.pk for one in scanned("unused_roles", now=LATER)] == [unused.pk]
        assert open_alerts(directory()) == 0
        event = Event.objects.get(kind=Kind.INCIDENT_DISMISSED)
        assert (event.actor_id, event.text.fields["reason"]) == (petra.pk, "known")
        assert event.authority_id == Assignment.objects.get(principal=petra).pk

    def test_what_is_found_besides_is_open(self, unused, petra, adam):
        dismissed(unused, petra)
        make_eligible(adam, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles", now=LATER)
        assert open_alerts(directory()) == 1
        assert done(Kind.ALERT_RAISED) == 2

    def test_all_at_once(self, unused, petra, adam):
        make_eligible(adam, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles")
        actor = acting(petra, Purpose.SETTINGS, ids.DIRECTORY)
        place = directory()
        assert dismiss("unused_roles", place=place, incidents=None, reason="known", actor=actor, clock=at(NOW)) == 2
        assert done(Kind.INCIDENT_DISMISSED) == 2

    @pytest.mark.parametrize(("reason", "code"), [("", "reason_missing"), ("\u200b", "reason_missing")])
    def test_it_needs_a_reason(self, unused, petra, reason, code):
        with pytest.raises(Refused, match=code):
            dismissed(unused, petra, reason=reason)

    def test_twice_is_refused(self, unused, petra):
        dismissed(unused, petra)
        with pytest.raises(Refused, match="nothing_open"):
            dismissed(unused, petra)
        assert Event.objects.filter(kind=Kind.INCIDENT_DISMISSED, outcome=Outcome.REFUSED).count() == 1

    def test_who_only_looks_may_not(self, unused, ines):
        give(ines, role(ids.GLOBAL_READER))
        with pytest.raises(Refused, match="not_allowed"):
            dismissed(unused, ines)

    def test_without_a_fresh_second_factor_nothing_is_dismissed(self, unused, petra):
        actor = acting(petra, Purpose.PEOPLE, ids.DIRECTORY)
        with pytest.raises(Refused, match="second_factor"):
            dismiss("unused_roles", place=directory(), incidents=None, reason="x", actor=actor, clock=at(NOW))

    def test_another_world_s_incident_is_none_of_this_place(self, unused, petra):
        other = tree("Contoso")[0]
        olga = person("olga")
        give(olga, role(ids.OWNER), other)
        actor = acting(olga, Purpose.SETTINGS, other.pk)
        with pytest.raises(Refused, match="nothing_open"):
            dismiss("unused_roles", place=other, incidents=[unused.pk], reason="x", actor=actor, clock=at(NOW))


class TestFixing:
    def test_the_assignment_is_removed_and_the_incident_is_over(self, unused, petra):
        fixed(unused, petra)
        unused.refresh_from_db()
        assert (unused.resolution, unused.untold) == (Resolution.FIXED, False)
        assert Assignment.objects.get(pk=unused.assignment_id).end_reason == "removed"
        assert (done(Kind.INCIDENT_FIXED), done(Kind.ASSIGNMENT_REMOVED)) == (1, 1)
        assert scanned("unused_roles", now=LATER) == []
        assert done(Kind.ALERT_RESOLVED) == 0

    def test_what_was_used_since_the_preview_is_kept(self, unused, petra, ines):
        seen = proposal_of(unused).seen
        request_activation(ines, unused.assignment)
        with pytest.raises(Refused, match="changed_meanwhile"):
            fixed(unused, petra, seen=seen)
        assert Assignment.objects.in_effect(NOW).filter(pk=unused.assignment_id).exists()

    def test_an_activation_begun_since_the_preview_is_not_ended_with_it(self, ines):
        """The preview says how many activations end: what nobody was told of is not done."""
        root, owners = tree("Contoso")[0], [person(f"owner{number}") for number in range(3)]
        for owner in owners:
            give(owner, role(ids.OWNER), root)
        mine = make_eligible(ines, role(ids.OWNER), root)
        incident = next(one for one in scanned("too_many_owners", root) if one.assignment_id == mine.pk)
        seen = proposal_of(incident).seen
        request_activation(ines, mine)
        assert "1 activation ends with it." in proposal_of(incident).sentence
        with pytest.raises(Refused, match="changed_meanwhile"):
            fixed(incident, owners[0], seen=seen)
        fixed(incident, owners[0])
        assert not Assignment.objects.in_effect(NOW).filter(principal=ines).exists()

    def test_an_assignment_that_was_changed_since_the_preview_is_kept(self, unused, petra):
        seen = proposal_of(unused).seen
        actor = acting(petra, Purpose.ASSIGN, unused.assignment_id)
        change(unused.assignment_id, ends_at=NOW + 90 * DAY, reason="r", actor=actor, clock=at(NOW))
        with pytest.raises(Refused, match="changed_meanwhile"):
            fixed(unused, petra, seen=seen)

    def test_a_second_time_is_refused(self, unused, petra):
        fixed(unused, petra)
        with pytest.raises(Refused, match="over"):
            fixed(Incident.objects.get(pk=unused.pk), petra)

    def test_who_only_looks_may_not(self, unused, adam):
        give(adam, role(ids.GLOBAL_READER))
        with pytest.raises(Refused, match="not_allowed"):
            fixed(unused, adam)
        unused.refresh_from_db()
        assert unused.resolved_at is None

    def test_permanent_owners_become_eligible(self, petra):
        root = tree("Contoso")[0]
        owners = [person(f"owner{number}") for number in range(3)]
        for owner in owners:
            give(owner, role(ids.OWNER), root)
        set_alert("too_many_permanent_owners", root, count=2)
        incidents = scanned("too_many_permanent_owners", root)
        mine = next(one for one in incidents if one.principal_id == owners[1].pk)
        fixed(mine, owners[0])
        rows = Assignment.objects.in_effect(NOW).filter(principal=owners[1], resource=root)
        assert [row.type for row in rows] == [AssignmentType.ELIGIBLE]
        assert rows[0].ends_at == NOW + settings_of(role(ids.OWNER), root).expire_eligible_after

    def test_the_second_factor_is_demanded(self, petra):
        exchange = role(EXCHANGE_ADMINISTRATOR)
        configure(exchange, directory(), second_factor=SecondFactor.NONE, max_activation=2 * HOUR)
        fixed(scanned("no_second_factor")[0], petra)
        settings = settings_of(exchange, directory())
        assert (settings.second_factor, settings.max_activation) == (SecondFactor.FRESH, 2 * HOUR)

    def test_settings_that_changed_since_the_preview_stay(self, petra):
        exchange = role(EXCHANGE_ADMINISTRATOR)
        configure(exchange, directory(), second_factor=SecondFactor.NONE)
        incident = scanned("no_second_factor")[0]
        seen = proposal_of(incident).seen
        configure(exchange, directory(), max_activation=2 * HOUR)
        with pytest.raises(Refused, match="changed_meanwhile"):
            fixed(incident, petra, seen=seen)


class TestSettings:
    def change(self, user: User, place=None, **values):
        place = place or directory()
        given = {"enabled": True, "mails": True, "numbers": {"days": 60}} | values
        actor = acting(user, Purpose.SETTINGS, place.pk)
        return change_alert("unused_roles", place=place, actor=actor, clock=at(NOW), **given)

    def test_old_and_new_are_recorded_and_it_looks_anew(self, petra):
        scan_everything()
        self.change(petra)
        event = Event.objects.get(kind=Kind.ALERT_SETTINGS_CHANGED)
        assert (event.details["old"], event.details["new"]) == ({"days": 30}, {"days": 60})
        assert alert_of("unused_roles").wanted_at == NOW

    @pytest.mark.parametrize("days", [-1, 101])
    def test_out_of_range_is_refused(self, petra, days):
        with pytest.raises(Refused, match="out_of_range"):
            self.change(petra, numbers={"days": days})

    @pytest.mark.parametrize("days", [0, 100])
    def test_the_ends_of_the_range_are_taken(self, petra, days):
        assert self.change(petra, numbers={"days": days}).values == {"days": days}

    def test_settings_that_somebody_else_changed_are_not_overwritten(self, petra):
        with pytest.raises(Refused, match="changed_meanwhile"):
            self.change(petra, seen="what was there before")

    def test_turned_off_its_incidents_are_over_and_nobody_is_told(self, unused, petra):
        self.change(petra, enabled=False)
        assert scanned("unused_roles", now=LATER) == []
        unused.refresh_from_db()
        assert unused.resolution == Resolution.TURNED_OFF
        assert done(Kind.ALERT_RESOLVED) == 0

    def test_without_mails_nobody_is_told_later_either(self, petra, ines):
        self.change(petra, mails=False)
        set_alert("unused_roles", mails=False, days=30)
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles")
        set_alert("unused_roles", mails=True, days=30)
        scanned("unused_roles", now=LATER)
        assert told("alert_raised") == set()

    def test_nor_of_the_end_of_what_nobody_was_told_of(self, petra, ines):
        set_alert("unused_roles", mails=False, days=30)
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        scanned("unused_roles")
        set_alert("unused_roles", mails=True, days=30)
        request_activation(ines, row)
        assert scanned("unused_roles", now=LATER) == []
        assert told("alert_resolved") == set()

    def test_who_only_looks_may_not(self, ines):
        give(ines, role(ids.GLOBAL_READER))
        with pytest.raises(Refused, match="not_allowed"):
            self.change(ines)


def test_who_may_answer_nothing_has_nothing_scanned(ines):
    give(ines, role(ids.GLOBAL_READER))
    with pytest.raises(Refused, match="not_allowed"):
        scan_now(directory(), actor=acting(ines, Purpose.SETTINGS), clock=at(NOW))
    assert Event.objects.filter(kind=Kind.ALERTS_SCANNED, outcome=Outcome.REFUSED).count() == 1


def test_scan_now_looks_at_everything_of_the_tree_and_says_who_asked(ines, petra):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    assert scan_now(directory(), actor=acting(petra, Purpose.SETTINGS), clock=at(NOW), seconds=600)
    assert open_alerts(directory()) > 0
    assert Event.objects.get(kind=Kind.ALERTS_SCANNED).actor_id == petra.pk
    assert not Alert.objects.filter(root=ids.DIRECTORY, wanted_at__isnull=False).exists()


def test_nobody_reads_in_their_own_history_what_was_found_about_them(unused, ines, petra):
    dismissed(unused, petra, reason="we watch her")
    kinds = {Kind.INCIDENT_RAISED, Kind.INCIDENT_DISMISSED}
    assert not own_history_of(ines.pk).filter(kind__in=kinds).exists()
    assert own_history_of(petra.pk).filter(kind=Kind.INCIDENT_DISMISSED).exists()
    # It is about her all the same: erasing her texts finds it.
    assert Event.objects.concerning(ines.pk).filter(kind__in=kinds).count() == 2

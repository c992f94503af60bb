"""Every setting of a series: what the form proposes, which values there are, what is refused (pim-behaviour §7.1)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from pim_portal.models import Notification
from reviews.forms.initial import PROPOSED
from reviews.forms.series import SeriesForm
from reviews.models import Covers, Frequency, IfUnanswered, ReviewersKind
from reviews.rules.series import HORIZON, SLACK, Wanted
from reviews.selectors import previews
from reviews.selectors.candidates import in_chunks
from reviews.services.deciding import accept_recommendations
from reviews.services.series import change_review, create_review
from reviews.services.wants import wanted_of
from roles import ids
from roles.models import Purpose
from roles.refusals import Refused
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    acting,
    at,
    directory,
    make_eligible,
    role,
)
from tests.reviewing import chosen, make_review, managers, started, themselves, turn, wanted

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)

# What the form proposes for a setting; what is not there is empty or off.
DEFAULTS = {
    "covers": "both",
    "inherited": None,
    "inactive_days": None,
    "frequency": "once",
    "end": "never",
    "kind_1": "chosen",
    "days_1": 30,  # one time: ends after a month
    "kind_2": None,
    "recommendations": True,
    "look_back_days": 30,
    "reason_required": None,
    "auto_apply": None,
    "if_unanswered": "no_change",
    "mails": True,
    "reminders": True,
    "mail_text": None,
}
VALUES = {
    "frequency": {"once", "weekly", "monthly", "quarterly", "semi_annually", "annually"},
    "end": {"never", "date", "number"},
    "covers": {"both", "eligible", "active"},
    "kind_1": {"chosen", "self", "managers"},
    "if_unanswered": {"no_change", "remove", "approve", "recommendation"},
}
# Each frequency with the longest that an instance may last, in days.
LONGEST = {
    Frequency.ONCE: 365,
    Frequency.WEEKLY: 6,
    Frequency.MONTHLY: 27,
    Frequency.QUARTERLY: 88,
    Frequency.SEMI_ANNUALLY: 180,
    Frequency.ANNUALLY: 364,
}


def save(adam, **values):
    stages = values.pop("stages", [chosen(adam)])
    return make_review(role(EXCHANGE_ADMINISTRATOR), stages=stages, **values)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_form_proposes_what_hosted_pim_does(name):
    assert PROPOSED.get(name) == DEFAULTS[name]


@pytest.mark.parametrize("name", VALUES)
def test_the_form_offers_every_value(name):
    field: Any = SeriesForm.base_fields[name]
    assert {value for value, _label in field.choices} == VALUES[name]


def test_the_form_asks_for_everything_that_a_series_has():
    of_stages = {"kind_1", "days_1", "reviewers_1", "fallbacks_1", "kind_2", "days_2", "reviewers_2", "fallbacks_2"}
    asked = set(SeriesForm.base_fields) - of_stages - {"end", "q"}
    assert asked == {one.name for one in fields(Wanted)} - {"stages", "zone"}


@pytest.mark.parametrize("frequency", LONGEST)
def test_an_instance_lasts_no_longer_than_its_period_allows(frequency, adam):
    longest = LONGEST[frequency]
    assert save(adam, frequency=frequency, stages=[chosen(adam, days=longest)]).pk
    with pytest.raises(Refused) as refused:
        save(adam, frequency=frequency, stages=[chosen(adam, days=longest + 1)])
    assert refused.value.codes == {"too_long"}


def test_both_stages_together_fit_the_period(adam, berta):
    with pytest.raises(Refused) as refused:
        save(adam, frequency=Frequency.WEEKLY, stages=[chosen(adam, days=3), chosen(berta, days=4)])
    assert refused.value.codes == {"too_long"}
    assert save(adam, frequency=Frequency.WEEKLY, stages=[chosen(adam, days=3), chosen(berta, days=3)]).pk


REFUSED = {
    "no name": ({"name": "​ "}, "name_missing"),
    "a name that is too long": ({"name": "x" * 201}, "name_too_long"),
    "a description that is too long": ({"description": "x" * 2001}, "text_too_long"),
    "an extra text that is too long": ({"mail_text": "x" * 2001}, "text_too_long"),
    "a start in the past": ({"starts_at": NOW - SLACK - MICROSECOND}, "start_in_past"),
    "a start too far ahead": ({"starts_at": NOW + HORIZON + MICROSECOND}, "start_too_far"),
    "an unknown time zone": ({"zone": "Mars/Olympus"}, "zone_unknown"),
    "two ends": (
        {"frequency": Frequency.MONTHLY, "ends_on": (NOW + 90 * DAY).date(), "occurrences": 3},
        "two_ends",
    ),
    "an end before the start": (
        {"frequency": Frequency.MONTHLY, "starts_at": NOW + 9 * DAY, "ends_on": NOW.date()},
        "ends_before_start",
    ),
    "an end on the day before the start": (
        {"frequency": Frequency.MONTHLY, "starts_at": NOW + 9 * DAY, "ends_on": (NOW + 8 * DAY).date()},
        "ends_before_start",
    ),
    "no instance": ({"frequency": Frequency.MONTHLY, "occurrences": 0}, "occurrences"),
    "too many instances": ({"frequency": Frequency.MONTHLY, "occurrences": 501}, "occurrences"),
    "inactive for no day": ({"inactive_days": 0}, "inactive_days"),
    "inactive for more than two years": ({"inactive_days": 731}, "inactive_days"),
    "no look-back": ({"look_back_days": 0}, "look_back_days"),
    "a look-back of more than a year": ({"look_back_days": 366}, "look_back_days"),
    "no stage": ({"stages": []}, "stages"),
    "nobody chosen": ({"stages": [chosen()]}, "no_reviewers"),
    "a stage of no day": ({"stages": [themselves(days=0)]}, "too_short"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what, adam):
    values, code = REFUSED[what]
    with pytest.raises(Refused) as refused:
        save(adam, **values)
    assert code in refused.value.codes


def test_a_third_stage_is_refused(adam, berta, ines):
    with pytest.raises(Refused) as refused:
        save(adam, stages=[chosen(adam), chosen(berta), chosen(ines)])
    assert refused.value.codes == {"stages"}


def test_the_most_of_everything_is_allowed(adam):
    values = {"inactive_days": 730, "look_back_days": 365, "occurrences": 500, "frequency": Frequency.MONTHLY}
    assert save(adam, **values, starts_at=NOW + HORIZON).pk
    assert save(adam, starts_at=NOW - SLACK).starts_at == NOW


def test_a_role_that_cannot_be_assigned_there_is_refused(adam):
    with pytest.raises(Refused) as refused:
        make_review(role(ids.READER), stages=[chosen(adam)])
    assert "role_elsewhere" in refused.value.codes


def test_what_is_saved_comes_back_as_it_was_wanted(adam, berta, nina):
    given = wanted(
        role(EXCHANGE_ADMINISTRATOR),
        stages=[managers(adam, days=5), chosen(berta, days=9, fallbacks=[adam])],
        description="Why",
        frequency=Frequency.QUARTERLY,
        occurrences=4,
        told=frozenset({nina.pk}),
        covers=Covers.ELIGIBLE,
        inherited=True,
        inactive_days=90,
        recommendations=False,
        look_back_days=60,
        reason_required=True,
        auto_apply=True,
        if_unanswered=IfUnanswered.RECOMMENDATION,
        mails=False,
        reminders=False,
        mail_text="Please",
    )
    assert wanted_of(create_review(directory().pk, given, actor=OPERATOR, clock=at(NOW))) == given


def change(instance, now=NOW + DAY, **values):
    new = replace(wanted_of(instance.review), **values)
    return change_review(instance.review_id, new, actor=OPERATOR, clock=at(now))


def test_fallback_reviewers_of_managers_are_not_emptied(adam, berta):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[managers(adam)], frequency=Frequency.MONTHLY)
    with pytest.raises(Refused) as refused:
        change(instance, stages=(managers(),))
    assert "fallbacks_emptied" in refused.value.codes
    assert change(instance, stages=(managers(berta),)).pk


@pytest.mark.parametrize("kind", ["self", "managers"])
def test_the_kind_of_reviewers_stays_once_it_runs(kind, adam):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)])
    stage = replace(chosen(adam), kind=ReviewersKind(kind))
    with pytest.raises(Refused) as refused:
        change(instance, stages=(stage,))
    assert "running" in refused.value.codes


def test_a_start_that_has_passed_is_not_moved(adam):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)])
    with pytest.raises(Refused) as refused:
        change(instance, starts_at=NOW + 3 * DAY)
    assert "started" in refused.value.codes


# The buttons of reviewers; those of administrators from every status: `test_review_life`.


def test_recommendations_are_accepted_only_where_there_are_some(adam, ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], recommendations=False)
    actor = acting(adam, Purpose.DECIDE, instance.pk)
    with pytest.raises(Refused) as refused:
        accept_recommendations(instance.pk, actor=actor, clock=at(NOW))
    assert refused.value.codes == {"no_recommendations"}


def test_the_creator_and_whom_the_review_names_are_told_at_the_end(petra, adam, nina, ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    given = wanted(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], told=frozenset({nina.pk}))
    create_review(directory().pk, given, actor=acting(petra, Purpose.ASSIGN, directory().pk), clock=at(NOW))
    turn()
    turn(NOW + 7 * DAY)
    told = Notification.objects.filter(mail="review_completed").values_list("recipient__name", flat=True)
    assert sorted(told) == ["Nina", "Petra"]


def test_a_preview_looks_at_a_bounded_number_of_assignments_and_says_so(monkeypatch, adam, ines, zoe, nina):
    for one in (ines, zoe, nina):
        make_eligible(one, role(EXCHANGE_ADMINISTRATOR))
    monkeypatch.setattr(previews, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(previews, "in_chunks", lambda scope, now: in_chunks(scope, now, 1))
    given = wanted(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)])
    shown = previews.preview(directory(), given, NOW)
    assert (shown.total, shown.more) == (2, True)
    monkeypatch.setattr(previews, "MOST_LOOKED_AT", 4)
    shown = previews.preview(directory(), given, NOW)
    assert (shown.total, shown.more) == (3, False)

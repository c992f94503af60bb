"""The pages of reviews as administrators and reviewers use them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviews.models import AccessReview, Opinion, PastVerdict, ReviewersKind, Verdict
from reviews.services.series import change_review
from reviews.services.wants import wanted_of
from tests.people import EXCHANGE_ADMINISTRATOR, OPERATOR, group, make_eligible, role
from tests.reviewing import chosen, row_of, say, started, turn
from tests.stepping import code_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(ines, adam):
    now = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now)


def test_a_reviewer_decides_the_rows_of_a_page(begun, adam):
    row = Verdict.objects.get(instance=begun)
    client = visiting(adam)
    sent = {f"verdict-{row.pk}": "deny", f"reason-{row.pk}": "", "reason": "left the team", **code_of(adam)}
    assert client.post(f"/tasks/reviews/{begun.pk}/", sent).status_code == 302
    row.refresh_from_db()
    assert (row.verdict, row.reason, row.reviewer_name) == (Opinion.DENY, "left the team", "Adam")
    assert "left the team" in client.get(f"/tasks/reviews/{begun.pk}/?tab=reviewed").content.decode()


def test_nothing_chosen_is_refused_and_says_so(begun, adam):
    answer = visiting(adam).post(f"/tasks/reviews/{begun.pk}/", {"reason": "none", **code_of(adam)})
    assert answer.status_code == 422
    assert "Choose a verdict for at least one assignment." in answer.content.decode()


def test_whoever_changes_one_mind_does_not_say_again_what_others_said(ines, zoe, adam, berta):
    now = timezone.now()
    for who in (ines, zoe):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR), now=now)
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, berta)], now=now)
    of_ines, of_zoe = row_of(instance, ines), row_of(instance, zoe)
    say(instance, berta, Opinion.DENY, of_ines, reason="left in May", now=now)
    say(instance, adam, Opinion.DENY, of_zoe, reason="", now=now)
    client, page = visiting(adam), f"/tasks/reviews/{instance.pk}/?tab=reviewed"
    html = client.get(page).content.decode()
    radios = re.findall(r'<input type="radio"[^>]*>', html)
    assert len(radios) == 6
    assert [one for one in radios if " checked" in one] == []
    assert re.search(r"Berta, .*left in May", html, re.S)
    # What a browser sends: the radios that somebody chose, and every reason, empty where nothing was typed.
    sent = dict(re.findall(r'name="(reason-[^"]+)"[^>]* value="([^"]*)"', html))
    assert set(sent) == {f"reason-{row.pk}" for row in (of_ines, of_zoe)}
    answer = client.post(page, sent | {f"verdict-{of_zoe.pk}": "approve", "reason": "she is back", **code_of(adam)})
    assert answer.status_code == 302
    for row in (of_ines, of_zoe):
        row.refresh_from_db()
    assert (of_ines.verdict, of_ines.reviewer_name, of_ines.reason) == (Opinion.DENY, "Berta", "left in May")
    assert (of_zoe.verdict, of_zoe.reviewer_name, of_zoe.reason) == (Opinion.APPROVE, "Adam", "she is back")
    assert list(PastVerdict.objects.values_list("row", flat=True)) == [of_zoe.pk]


def test_the_buttons_of_a_row_stand_in_no_download(begun, adam):
    answer: Any = visiting(adam).get(f"/tasks/reviews/{begun.pk}/?download=csv")
    header, row = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert header == "Who,Role,Since,Used,Recommendation"
    assert "Don’t know" not in row


def test_the_recommendations_are_accepted_in_one_form(begun, adam):
    assert (
        visiting(adam).post(f"/tasks/reviews/{begun.pk}/all/", {"verdict": "recommended", **code_of(adam)}).status_code
        == 302
    )
    assert Verdict.objects.get(instance=begun).verdict == Opinion.DENY


def test_a_preview_saves_nothing_and_the_form_does(petra, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    client, page = visiting(petra), "/manage/directory/reviews/add/"
    sent = {
        "name": "Mail",
        "roles": [str(EXCHANGE_ADMINISTRATOR)],
        "covers": "both",
        "frequency": "once",
        "end": "never",
        "kind_1": ReviewersKind.CHOSEN,
        "days_1": "14",
        "reviewers_1": [str(adam.pk)],
        "look_back_days": "30",
        "if_unanswered": "no_change",
    }
    shown = client.post(page, {**sent, "preview": "1"})
    assert "1 assignment would be reviewed." in shown.content.decode()
    assert not AccessReview.objects.exists()
    assert client.post(page, sent | code_of(petra)).status_code == 302
    assert AccessReview.objects.get().instances.count() == 1


def test_the_results_are_downloaded_in_full(begun, petra):
    page = f"/manage/directory/reviews/{begun.review_id}/{begun.pk}/?download=csv"
    lines = visiting(petra).get(page).getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("who,principal id,")
    assert lines[1].startswith("Ines,")


def test_an_instance_shows_its_own_terms_whatever_was_changed_since(begun, petra):
    new = replace(wanted_of(begun.review), auto_apply=True, reason_required=True)
    change_review(begun.review_id, new, actor=OPERATOR, clock=timezone.now)
    client, page = visiting(petra), f"/manage/directory/reviews/{begun.review_id}/"
    series, instance = (client.get(path).content.decode() for path in (page, f"{page}{begun.pk}/"))
    assert "Applied automatically" in series
    assert "Required on approval" in series
    assert "Applied by hand" in instance
    assert "Not required" in instance


def test_a_row_says_whose_it_is_and_what_is_known(ines, adam, berta, petra):
    """In the second stage, with what was said in the first; to reviewers without links to where they may not look."""
    now, crew = timezone.now(), group("Crew & friends", ines)
    begins = now - timedelta(days=8)
    for who in (ines, crew):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR), now=begins)
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam), chosen(berta)], now=begins)
    say(instance, adam, Opinion.DENY, row_of(instance, crew), reason="<gone>", now=begins)
    turn(now)
    results = visiting(petra).get(f"/manage/directory/reviews/{instance.review_id}/{instance.pk}/").content.decode()
    for_berta = visiting(berta).get(f"/tasks/reviews/{instance.pk}/").content.decode()
    for html in (results, for_berta):
        assert html.count("Eligible · Directory") == 2
        assert '<span class="sub">group</span>' in html
    assert f'<a href="/manage/groups/{crew.pk}/">Crew &amp; friends</a>' in results
    assert f'<a href="/manage/people/{ines.pk}/">Ines</a>' in results
    assert "/manage/groups/" not in for_berta
    assert "/manage/people/" not in for_berta
    assert re.search(r'data-status="deny">Denied</span><span class="sub">Adam: &lt;gone&gt;</span>', for_berta)
    assert for_berta.count("Never activated") == 2
    assert for_berta.count("No sign-in known") >= 1
    legend = '<legend class="visually-hidden">Crew &amp; friends: Exchange Administrator</legend>'
    assert legend in for_berta

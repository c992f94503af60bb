"""The pages of reviews as administrators and reviewers use them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from reviews.models import AccessReview, Opinion, ReviewersKind, Verdict
from tests.people import EXCHANGE_ADMINISTRATOR, make_eligible, role
from tests.reviewing import chosen, started
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

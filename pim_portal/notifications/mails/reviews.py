"""Mails about access reviews."""

from __future__ import annotations

from pim_portal.models import Topic
from pim_portal.notifications import recipients, reviews
from pim_portal.notifications.mails.mail import (
    Mail,
)

REVIEW_BEGINS = Mail("review_begins", reviews.reviewers, reviews.review_begins, reviews.still_to_review, asks=True)

REVIEW_REMINDER = Mail(
    "review_reminder", reviews.reviewers, reviews.review_reminder, reviews.still_to_review, asks=True
)

REVIEW_WAITS = Mail(
    "review_waits", recipients.administrators_there, reviews.review_waits, reviews.still_to_apply, asks=True
)

# Whoever set it up believes that it is gone: nobody can quiet it.
REVIEW_LEFT = Mail("review_left", reviews.told_at_the_end, reviews.review_left, applies=reviews.is_left)

REVIEW_COMPLETED = Mail("review_completed", reviews.told_at_the_end, reviews.review_completed, topic=Topic.ADMINISTERED)

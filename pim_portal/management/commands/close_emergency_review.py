"""Close the review of an emergency that nobody else can close."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from approvals.models import EmergencyReview, Request
from approvals.services.emergency_reviews import close_review_as_operator
from pim_portal.operations.operators import operator
from roles.refusals import Refused


class Command(BaseCommand):
    help = (
        "Close the review of an activation in an emergency, where there is nobody else who can. It is recorded in the "
        "name of the operator. While somebody could, now or after activating a role of theirs, it is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("request", metavar="REQUEST_ID", type=uuid.UUID, help="the id in the address of its page")
        parser.add_argument("--finding", required=True, help="what you found, and why you close it; it is recorded")
        verdict = parser.add_mutually_exclusive_group(required=True)
        verdict.add_argument("--justified", action="store_true", help="it was justified")
        verdict.add_argument("--not-justified", action="store_true", help="it was not")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            review = close_review_as_operator(
                options["request"],
                justified=options["justified"],
                finding=options["finding"],
                actor=operator(),
                clock=timezone.now,
            )
        except (Request.DoesNotExist, EmergencyReview.DoesNotExist):
            raise CommandError(f"There is no emergency with the id {options['request']}.") from None
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        self.stdout.write(f"The review is closed, in the name of {review.operator}.")

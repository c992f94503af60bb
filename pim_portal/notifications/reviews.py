"""Mails of access reviews: to whom, whether they still concern them, and what they say.

An event about a review names it by its details: `instance`, and the number of the `stage` where one is meant. Very many
reviewers are told in parts: by events that say from whom to whom.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import Letter
from reviews.models import ApplyResult, Instance, InstanceStage
from reviews.selectors.reviewers import bench_of, open_stage, people_in, unfinished_reviewers, waiting_rows
from roles import wording
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import User

LEFT: Final = (ApplyResult.REFUSED, ApplyResult.THROUGH_GROUP, ApplyResult.INHERITED)


def instance_of(event: Event) -> Instance:
    """Return the instance that an event tells of."""
    return Instance.objects.select_related("review__resource").get(pk=event.details["instance"])


def reviewers(event: Event) -> Iterable[User]:
    """Return who has something to review in the stage that has just begun, or that is half over."""
    instance = instance_of(event)
    stage = instance.stages.filter(number=event.details.get("stage", 1)).first()
    mails = instance.mails or event.kind == Kind.REVIEW_REMINDED
    if stage is None or not mails or event.details.get("in_parts"):
        return []
    people = unfinished_reviewers(stage, event.occurred_at)
    if "from" in event.details:
        people = people.filter(pk__gte=event.details["from"], pk__lte=event.details["to"])
    return people


def told_at_the_end(event: Event) -> Iterable[User]:
    """Return whoever set the review up or saved it last, and the people that it names to be told."""
    review = instance_of(event).review
    named = {*review.told.values_list("principal", flat=True), review.created_by_id, review.set_by_id}
    ids = people_in([one for one in named if one is not None], event.occurred_at)
    return User.objects.filter(pk__in=ids).order_by("name_key", "pk")


def still_to_review(notification: Notification, now: datetime) -> bool:
    """Whether rows still wait for this reviewer."""
    stage = _open_stage(notification, now)
    if stage is None:
        return False
    bench = bench_of(stage, now)
    return waiting_rows(stage).filter(bench.rows_for(_person(notification))).exists()


def _person(notification: Notification) -> uuid.UUID:
    if notification.recipient_id is None:
        raise LookupError("Reviews are told to people only.")
    return notification.recipient_id


def review_begins(notification: Notification, now: datetime) -> Letter | None:
    """Ask a reviewer to review."""
    return _asking(notification, now, _("Review access: {review}"))


def review_reminder(notification: Notification, now: datetime) -> Letter | None:
    """Remind a reviewer of what still waits."""
    return _asking(notification, now, _("Still to review: {review}"))


def _asking(notification: Notification, now: datetime, subject: str) -> Letter | None:
    stage = _open_stage(notification, now)
    if stage is None:
        return None
    instance, review = stage.instance, stage.instance.review
    bench = bench_of(stage, now)
    count = waiting_rows(stage).filter(bench.rows_for(_person(notification))).count()
    until = wording.exact(stage.ends_at)
    words = {"review": review.name, "place": review.resource.name, "count": count, "end": until}
    sentence = ngettext(
        "{count} assignment at {place} waits for your review until {end}.",
        "{count} assignments at {place} wait for your review until {end}.",
        count,
    )
    return Letter(
        subject=subject.format(**words),
        sentences=(
            sentence.format(**words),
            _("Opening the link decides nothing: you sign in, look at each assignment and say whether it is needed."),
        ),
        facts=(
            (_("Review"), review.name),
            (_("Resource"), review.resource.name),
            (_("Until"), until),
        ),
        quote=(_("From whoever set up the review"), instance.mail_text) if instance.mail_text else None,
        button=_("Review access"),
        path=reverse("reviews:review", args=[instance.pk]),
        because=_("You are a reviewer of this access review."),
    )


def review_completed(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody how a review ended. They may not be allowed to see the results: so it says figures only."""
    instance = instance_of(_event(notification))
    review = instance.review
    facts = [
        (_("Review"), review.name),
        (_("Resource"), review.resource.name),
        (_("Approved"), str(instance.rows_approved)),
        (_("Denied"), str(instance.rows_denied)),
        (_("Don’t know"), str(instance.rows_unknown)),
        (_("Not reviewed"), str(instance.rows_unanswered)),
    ]
    follows = _("Nothing is removed before somebody applies the results.")
    if not instance.rows_denied:
        follows = _("Nothing was denied, so nothing is removed.")
    elif instance.applying_at is not None:
        follows = _("What was denied is removed; the results say what became of each assignment.")
    subject, ended = _("Access review completed: {review}"), _("The access review “{review}” at {place} is completed.")
    if instance.stopped_at is not None:
        subject = _("Access review stopped: {review}")
        ended = _("The access review “{review}” at {place} was stopped before its end. The audit history says by whom.")
    words = {"review": review.name, "place": review.resource.name}
    button, path, note = _way_to_results(notification, instance, now)
    return Letter(
        subject=subject.format(**words),
        sentences=(ended.format(**words), follows),
        facts=tuple(facts),
        button=button,
        path=path,
        note=note,
        because=_("You set up this review, or it names you to be told."),
    )


def _way_to_results(notification: Notification, instance: Instance, now: datetime) -> tuple[str, str, str]:
    """Return the button, where it leads, and a note: whoever may not see the results would find no page there."""
    place = instance.review.resource
    authority = Authority(User.objects.get(pk=_person(notification)), now)
    results = _("Open the results"), reverse("reviews:results", args=[instance.pk])
    if authority.allows(Permission.SEE, place):
        return *results, ""
    if role := authority.by_eligibility(Permission.SEE, place):
        what = _("{role} at {resource}").format(role=role.role_name, resource=role.resource_name)
        sentence = _("You see them while a role of yours is active: activate {role} first.")
        return *results, sentence.format(role=role.role_name if role.resource_id == DIRECTORY else what)
    sentence = _("Who was denied is shown to whoever may see the roles at {place}.")
    return _("Open PIM Portal"), reverse("overview"), sentence.format(place=place.name)


def is_left(event: Event) -> bool:
    """Whether applying left something in place that was denied."""
    return any(event.details.get(result) for result in LEFT)


def review_left(notification: Notification, now: datetime) -> Letter | None:
    """Tell whoever is told of the end that applying has left something in place, and why in figures."""
    event = _event(notification)
    instance = instance_of(event)
    review = instance.review
    words = {"review": review.name, "place": review.resource.name}
    button, path, note = _way_to_results(notification, instance, now)
    return Letter(
        subject=_("Denied, and still held: {review}").format(**words),
        sentences=(
            _(
                "The results of the access review “{review}” at {place} are applied, but not all that was denied could "
                "be removed there. It is still held."
            ).format(**words),
            _("The results say of each assignment why, and lead to where it is held."),
        ),
        facts=(
            (_("Removed"), str(event.details.get(ApplyResult.REMOVED, 0))),
            *((str(result.label), str(event.details[result])) for result in LEFT if event.details.get(result)),
        ),
        button=button,
        path=path,
        note=note,
        because=_("You set up this review, or it names you to be told."),
    )


def still_to_apply(notification: Notification, now: datetime) -> bool:
    """Whether the results still wait for an administrator."""
    instance = instance_of(_event(notification))
    return instance.waits_for_somebody and instance.review.deleted_at is None


def review_waits(notification: Notification, now: datetime) -> Letter | None:
    """Ask the administrators of a place to apply what nobody's right stands for any more."""
    instance = instance_of(_event(notification))
    review = instance.review
    words = {"review": review.name, "place": review.resource.name}
    button, path, note = _way_to_results(notification, instance, now)
    return Letter(
        subject=_("To be applied: {review}").format(**words),
        sentences=(
            _(
                "The results of the access review “{review}” at {place} were to be applied automatically. Whoever set "
                "it up last may not remove assignments there any more, so nothing more is removed."
            ).format(**words),
            _("Look at what was denied and apply the results. Save the review to take it over for the next times."),
        ),
        facts=((_("Review"), review.name), (_("Resource"), review.resource.name)),
        button=button,
        path=path,
        note=note,
        because=_("You administer this place."),
    )


def _event(notification: Notification) -> Event:
    assert notification.event is not None  # noqa: S101 - a review is told of by its event
    return notification.event


def _open_stage(notification: Notification, now: datetime) -> InstanceStage | None:
    instance = Instance.objects.open(now).filter(pk=_event(notification).details["instance"]).first()
    return open_stage(instance.pk, now) if instance else None

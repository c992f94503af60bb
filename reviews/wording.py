"""How reviews are said: why something is recommended, what applying came to, why a row has no reviewer."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reviews.models import ApplyResult, Because, Instance, InstanceStage, Status, Verdict
from roles.wording import exact


def reason_of_recommendation(row: Verdict, look_back_days: int) -> str:
    """Say in a sentence why something is recommended for this row, or why nothing is."""
    words = {"days": look_back_days, "count": row.activations}
    match Because(row.because):
        case Because.ACTIVATED:
            sentence = ngettext(
                "Activated once in the last {days} days.",
                "Activated {count} times in the last {days} days.",
                row.activations,
            )
        case Because.SIGNED_IN:
            sentence = _("Signed in during the last {days} days.")
        case Because.NEW:
            sentence = _("Given in the last {days} days: too new to tell.")
        case Because.NOT_ACTIVATED:
            sentence = _("Not activated in the last {days} days.")
        case Because.NOT_SIGNED_IN:
            sentence = _("Not signed in during the last {days} days.")
        case Because.EMERGENCY:
            sentence = _("Permanent and over everything: perhaps kept for emergencies, where disuse says nothing.")
        case Because.NEVER_SEEN:
            sentence = _("Never signed in, or not for two years.")
        case _:
            return ""
    return sentence.format(**words)


def result_sentence(row: Verdict) -> str:
    """Say what applying came to, beyond the word of the result."""
    match ApplyResult(row.result):
        case ApplyResult.GONE:
            return _("It was over before the results were applied.")
        case ApplyResult.REPLACED:
            return _("It has ended and was given anew since; the new one was not reviewed and stays.")
        case ApplyResult.THROUGH_GROUP:
            sentence = _("Remove the membership of {group} instead, or what the group holds.")
            return sentence.format(group=row.through_name)
        case ApplyResult.INHERITED:
            return _("It comes from above; remove it where it was given.")
    return row.result_detail


def why_nothing(instance: Instance, to_come: InstanceStage | None, now: datetime) -> tuple[str, str]:
    """Say why somebody who has, had or will have a part in an instance has nothing to review in it now."""
    if to_come is not None:
        start, end = exact(to_come.starts_at), exact(to_come.ends_at)
        text = _("Others review first. Your part begins {start} and ends {end}; you see then what they said.")
        return _("Your turn has not come yet"), text.format(start=start, end=end)
    match instance.status_at(now):
        case Status.DELETED:
            return _("This review was deleted"), _("Nothing follows from it. What you said is kept.")
        case Status.IN_PROGRESS:
            text = _("Others review now, or you are no longer one of its reviewers. What you said is kept.")
            return _("There is nothing for you to review here now"), text
    text = _("It ended {end}. What you said is kept, and cannot be changed any more.")
    return _("This review is over"), text.format(end=exact(instance.closes_at))


WHY_NOBODY = {
    "group": gettext_lazy("a group cannot review itself"),
    "no_manager": gettext_lazy("no manager is known"),
    "only_reviewer": gettext_lazy("the only reviewer would review themselves"),
    "no_reviewer": gettext_lazy("no reviewer is chosen"),
}

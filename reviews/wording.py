"""How reviews are said: why something is recommended, what applying came to, why a row has no reviewer."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reviews.models import ApplyResult, Because, Verdict


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
            return _("Remove the membership of the group instead.")
        case ApplyResult.INHERITED:
            return _("It comes from above; remove it where it was given.")
    return row.result_detail


WHY_NOBODY = {
    "group": gettext_lazy("a group cannot review itself"),
    "no_manager": gettext_lazy("no manager is known"),
    "only_reviewer": gettext_lazy("the only reviewer would review themselves"),
    "no_reviewer": gettext_lazy("no reviewer is chosen"),
}

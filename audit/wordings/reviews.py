"""Access reviews, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Wording,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.REVIEW_CREATED: Wording(
        gettext_lazy("{actor} created the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to create the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_CHANGED: Wording(
        gettext_lazy("{actor} changed the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to change the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_DELETED: Wording(
        gettext_lazy("{actor} deleted the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to delete the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STARTED: Wording(
        gettext_lazy("The access review “{review}” at {resource} started."),
        gettext_lazy("{actor} tried to start the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STAGE_STARTED: Wording(
        gettext_lazy("The next stage of the access review “{review}” at {resource} started."),
        gettext_lazy("{actor} tried to start a stage of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_ASKED: Wording(
        gettext_lazy("Reviewers of the access review “{review}” at {resource} were asked to review."),
        gettext_lazy("{actor} tried to ask the reviewers of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_REMINDED: Wording(
        gettext_lazy("{actor} reminded the reviewers of the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to remind the reviewers of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_DECIDED: Wording(
        gettext_lazy("{actor} reviewed access in the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to review access in the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_RESET: Wording(
        gettext_lazy("{actor} reset the access review “{review}” at {resource}: everything is to be reviewed again."),
        gettext_lazy("{actor} tried to reset the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STOPPED: Wording(
        gettext_lazy("{actor} stopped the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to stop the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_ANSWERED: Wording(
        gettext_lazy("Where nobody answered in the access review “{review}” at {resource}, its settings did."),
        gettext_lazy("{actor} tried to answer in the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_COMPLETED: Wording(
        gettext_lazy("The access review “{review}” at {resource} was completed."),
        gettext_lazy("{actor} tried to complete the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_WAITS: Wording(
        gettext_lazy(
            "The results of the access review “{review}” at {resource} wait to be applied: "
            "whoever set it up may not remove assignments there any more."
        ),
        gettext_lazy("{actor} tried to leave the results of the access review “{review}” at {resource} to somebody"),
    ),
    Kind.REVIEW_APPLYING: Wording(
        gettext_lazy("{actor} began to apply the results of the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to apply the results of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_APPLIED: Wording(
        gettext_lazy("The results of the access review “{review}” at {resource} were applied."),
        gettext_lazy("{actor} tried to apply the results of the access review “{review}” at {resource}"),
    ),
}

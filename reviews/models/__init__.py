"""Access reviews: the series with its stages, one occurrence of it, and the verdict on each assignment."""

from reviews.models.instances import Instance, InstanceStage, Panelist, Status
from reviews.models.series import (
    AccessReview,
    Covers,
    Frequency,
    IfUnanswered,
    ReviewersKind,
    Stage,
    StagePrincipal,
    Terms,
    Told,
)
from reviews.models.verdicts import ApplyResult, Because, How, Opinion, PastVerdict, Recommendation, Verdict

__all__ = [
    "AccessReview",
    "ApplyResult",
    "Because",
    "Covers",
    "Frequency",
    "How",
    "IfUnanswered",
    "Instance",
    "InstanceStage",
    "Opinion",
    "Panelist",
    "PastVerdict",
    "Recommendation",
    "ReviewersKind",
    "Stage",
    "StagePrincipal",
    "Status",
    "Terms",
    "Told",
    "Verdict",
]

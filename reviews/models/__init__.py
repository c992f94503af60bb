"""Access reviews: the series with its stages, one occurrence of it, and the verdict on each assignment."""

from reviews.models.instances import Instance, InstanceStage, Panelist, Status
from reviews.models.long_acts import SAYING, TELLING, Doing, LongAct
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
    "SAYING",
    "TELLING",
    "AccessReview",
    "ApplyResult",
    "Because",
    "Covers",
    "Doing",
    "Frequency",
    "How",
    "IfUnanswered",
    "Instance",
    "InstanceStage",
    "LongAct",
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

"""What waits for a decision, and what was decided."""

from approvals.models.decisions import Decision, RequestApprover, RequestStage, Verdict
from approvals.models.deputies import Deputy
from approvals.models.emergencies import EmergencyReview
from approvals.models.profiles import Profile, ProfileItem
from approvals.models.requests import RENEWALS, TIMED, TRANSITIONS, Action, Request, RequestQuerySet, Status

__all__ = [
    "RENEWALS",
    "TIMED",
    "TRANSITIONS",
    "Action",
    "Decision",
    "Deputy",
    "EmergencyReview",
    "Profile",
    "ProfileItem",
    "Request",
    "RequestApprover",
    "RequestQuerySet",
    "RequestStage",
    "Status",
    "Verdict",
]

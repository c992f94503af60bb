"""Who may hold what, where, how long: the rooms in their order, the lowest first."""

from roles.models.assignments import Assignment, AssignmentType, EndReason
from roles.models.catalogue import (
    ApprovalStage,
    Audience,
    NotificationCell,
    NotifiedAct,
    Role,
    RoleKind,
    RoleSettings,
    SecondFactor,
    StageApprover,
)
from roles.models.duties import DutyReach, DutyRule
from roles.models.factors import RecoveryCode, RecoveryCodes, TotpDevice
from roles.models.principals import Group, Principal, PrincipalKind, User
from roles.models.resources import Resource, ResourceKind
from roles.models.step_ups import Purpose, StepUp
from roles.models.tallies import Tally

__all__ = [
    "ApprovalStage",
    "Assignment",
    "AssignmentType",
    "Audience",
    "DutyReach",
    "DutyRule",
    "EndReason",
    "Group",
    "NotificationCell",
    "NotifiedAct",
    "Principal",
    "PrincipalKind",
    "Purpose",
    "RecoveryCode",
    "RecoveryCodes",
    "Resource",
    "ResourceKind",
    "Role",
    "RoleKind",
    "RoleSettings",
    "SecondFactor",
    "StageApprover",
    "StepUp",
    "Tally",
    "TotpDevice",
    "User",
]

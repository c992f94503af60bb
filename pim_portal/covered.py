"""Which tables change only together with an event of the history, and which need none, and why.

Every model of the portal stands in exactly one of the two lists; a test holds it.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections, models

import pim_portal.models as portal
from approvals.models import (
    Decision,
    Deputy,
    EmergencyReview,
    Profile,
    ProfileItem,
    Request,
    RequestApprover,
    RequestStage,
)
from audit import models as audit
from audit.covering import Covered, missing
from pim_portal.models.streams import DELIVERING
from reviews import models as reviews
from roles import models as roles
from roles.models.factors import THROTTLING

COVERED: Final = (
    # Who there is
    Covered(roles.Principal),
    # Every sign-in is an event, in a transaction of its own; the theme is how one's own pages look.
    Covered(roles.User, but=("last_login", "theme")),
    Covered(roles.Group),
    # What a code was typed for is an event of its own; that the same code does not count twice is none.
    Covered(roles.TotpDevice, but=("last_step", "drift", "last_used_at", *THROTTLING)),
    Covered(roles.RecoveryCodes, but=THROTTLING),
    Covered(roles.RecoveryCode, but=("used_at",)),
    Covered(portal.NotificationChoice),
    Covered(portal.EntryTicket, but=("secret",)),  # emptied, once it is of no use
    # Where the history goes; how far it got there is no change of anything.
    Covered(portal.WebHook, but=DELIVERING),
    # Who may hold what, and who does
    Covered(roles.Resource),
    Covered(roles.Role),
    Covered(roles.RoleSettings),
    Covered(roles.ApprovalStage),
    Covered(roles.StageApprover),
    Covered(roles.NotificationCell),
    Covered(roles.DutyRule),
    Covered(roles.DutyRule.roles.through),
    Covered(roles.Assignment),
    # Asking and deciding
    Covered(Request),
    Covered(RequestStage),
    Covered(RequestApprover),
    Covered(Decision),
    Covered(Deputy),
    Covered(EmergencyReview),
    # Access reviews. The rows of an instance are taken in many small transactions before anybody sees it; the event of
    # its start counts them. So does that of its applying for what became of each; what is removed is an event itself.
    Covered(reviews.AccessReview),
    Covered(reviews.AccessReview.roles.through),
    Covered(reviews.Stage),
    Covered(reviews.StagePrincipal),
    Covered(reviews.Told),
    Covered(reviews.Instance, unless="OLD.filled_at IS NULL AND NEW.filled_at IS NULL"),
    # That there was nobody to remind at half time is no change of anything.
    Covered(reviews.InstanceStage, but=("reminded_at",)),
    Covered(reviews.Panelist),
    Covered(reviews.Verdict, but=("result", "result_detail", "applied_at", "applied_by_name"), inserts=False),
    Covered(reviews.PastVerdict),
    Covered(reviews.LongAct, but=("done", "cursor", "finished_at")),
    # What an incident says of how it is now follows what it is about; that it was told is an event of its own.
    Covered(portal.AlertSettings),
    Covered(portal.Incident, but=("facts", "untold", "told_in")),
    # How long the history is kept, and what went into archives
    Covered(audit.Retention),
    Covered(audit.Archive),
    Covered(audit.Archived),
    # The set-up; its one row is made, and its code counted, before anything is done.
    Covered(portal.SetUp, but=("code_digest", "code_until", "wrong_codes"), inserts=False),
)

EXEMPT: Final[dict[type[models.Model], str]] = {
    portal.PortalSession: "Signing in and out are events; the rest is when somebody was last seen.",
    roles.Tally: "Figures for pages to show, counted from what is there.",
    roles.StepUp: "Giving a second factor is an event; the row is spent with what it allows, and cleared away.",
    portal.Notification: "The outbox: it follows from events, and is written by those who hear of them.",
    portal.DueItem: "Reminders and digests that were written; no change of anything.",
    Profile: "A list of one's own, of what one asks for together; each asking is an event.",
    ProfileItem: "A line of such a list.",
    portal.Heartbeat: "The pulse of the worker.",
    portal.Alert: "When incidents were looked for.",
    portal.SampleMail: "Mail of the demo.",
    portal.Upload: "A file that was sent in; applying it is what changes something, and an event.",
    portal.UploadPart: "Part of such a file.",
    portal.UploadLine: "What would become of one line of it.",
    portal.UploadProgress: "How far a process is with it.",
    portal.Download: "How far a file is that is being sent; no change of anything.",
    portal.AuditCursor: "How far a reader of the history as lines has got.",
    audit.Event: "The history itself; append-only by triggers of its own.",
    audit.EventText: "The history itself; erasing is an event, and the rest refused by triggers of its own.",
    audit.Pending: "What is not sealed yet; triggers of its own.",
    audit.Leaf: "The seals; triggers of their own.",
    audit.Batch: "The seals; triggers of their own.",
    audit.Anchoring: "How far the anchors were told.",
    audit.Verification: "How far a verification got; its end is an event.",
}


def check_cover(*, databases: list[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Tell when a table would let a change pass without its event (system check of the database)."""
    errors: list[CheckMessage] = []
    for alias in databases or []:
        try:
            present = set(connections[alias].introspection.table_names())
            if "audit_leaf" not in present:
                continue
            # What a migration is still to make must not keep it from running.
            bare = missing(connections[alias], [one for one in COVERED if one.table in present])
        except DatabaseError as error:
            # Said, as "no issues" would else be said of a database that nobody has looked at.
            unseen = f"The database could not be asked whether its triggers are there: {error}"
            errors.append(Warning(unseen, hint="Check again once it answers.", id="pim_portal.W010"))
            continue
        if bare:
            tables = ", ".join(sorted(bare))
            message = f"The database would let these tables be changed without an event: {tables}."
            errors.append(Error(message, hint="Run migrate.", id="pim_portal.E010"))
    return errors

"""What the portal itself remembers: sessions and ways in, mails to send, the worker's pulse."""

from pim_portal.models.accounts import EntryTicket, PortalSession, TicketKind
from pim_portal.models.demo import SampleMail
from pim_portal.models.imports import Upload, UploadLine, UploadPart, UploadStatus
from pim_portal.models.notifications import Notification, NotificationState
from pim_portal.models.operations import Heartbeat, SetUp

__all__ = [
    "EntryTicket",
    "Heartbeat",
    "Notification",
    "NotificationState",
    "PortalSession",
    "SampleMail",
    "SetUp",
    "TicketKind",
    "Upload",
    "UploadLine",
    "UploadPart",
    "UploadStatus",
]

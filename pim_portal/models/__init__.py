"""What the portal itself remembers: sessions and ways in, mails to send, the worker's pulse."""

from pim_portal.models.accounts import EntryTicket, PortalSession, TicketKind
from pim_portal.models.alerts import Alert, AlertSettings, Incident, Resolution, Severity
from pim_portal.models.demo import SampleMail
from pim_portal.models.downloads import Download, DownloadEnd
from pim_portal.models.imports import FileKind, Upload, UploadLine, UploadPart, UploadProgress, UploadStatus
from pim_portal.models.notifications import (
    Delivery,
    Due,
    DueItem,
    Notification,
    NotificationChoice,
    NotificationState,
    Topic,
)
from pim_portal.models.operations import Heartbeat, SetUp
from pim_portal.models.streams import AuditCursor, WebHook

__all__ = [
    "Alert",
    "AlertSettings",
    "AuditCursor",
    "Delivery",
    "Download",
    "DownloadEnd",
    "Due",
    "DueItem",
    "EntryTicket",
    "FileKind",
    "Heartbeat",
    "Incident",
    "Notification",
    "NotificationChoice",
    "NotificationState",
    "PortalSession",
    "Resolution",
    "SampleMail",
    "SetUp",
    "Severity",
    "TicketKind",
    "Topic",
    "Upload",
    "UploadLine",
    "UploadPart",
    "UploadProgress",
    "UploadStatus",
    "WebHook",
]

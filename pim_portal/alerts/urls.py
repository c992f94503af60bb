"""The pages of alerts, which stand at every place but the nodes of groups."""

from django.urls import path

from pim_portal.alerts.views import answering, lists

place_patterns = [
    path("alerts/", lists.Alerts.as_view(), name="alerts"),
    path("alerts/scan/", answering.scan, name="alerts_scan"),
    path("alerts/<slug:key>/", lists.AlertPage.as_view(), name="alert"),
    path("alerts/<slug:key>/settings/", answering.settings, name="alert_settings"),
    path("alerts/<slug:key>/dismiss/", answering.dismiss_chosen, name="alert_dismiss"),
    path("alerts/<slug:key>/fix/", answering.fix_chosen, name="alert_fix"),
]

"""The history, as far as it is open to its reader."""

from django.urls import path

from pim_portal.activity.views import audit, files, my_audit, verification

urlpatterns = [
    path("my-audit/", my_audit.my_audit, name="my_audit"),
    path("my-audit/download/", my_audit.my_audit_download, name="my_audit_download"),
    path("my-audit/<uuid:event>/", my_audit.my_audit_event, name="my_audit_event"),
    path("audit/", audit.audit, name="audit"),
    path("audit/download/", audit.audit_download, name="audit_download"),
    path("downloads/<uuid:pk>/", files.history_download, name="history_download"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/verification/", verification.verification, name="audit_verification"),
    path("audit/requests/<uuid:pk>/", audit.audit_request, name="audit_request"),
    path("audit/events/<uuid:event>/", audit.audit_event, name="audit_event"),
    path("audit/events/<uuid:event>/proof/", audit.audit_proof, name="audit_proof"),
    path("audit/events/<uuid:event>/erase/", audit.audit_erase, name="audit_erase"),
]

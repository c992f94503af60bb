"""The history, as far as it is open to its reader."""

from django.urls import path

from pim_portal.activity import views

urlpatterns = [
    path("my-audit/", views.my_audit, name="my_audit"),
    path("my-audit/<uuid:event>/", views.my_audit_event, name="my_audit_event"),
]

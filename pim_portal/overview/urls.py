"""The first page, and what one's roles allow."""

from django.urls import path

from pim_portal.overview import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("setup-checklist/<slug:step>/dismiss/", views.dismiss_step, name="dismiss_step"),
    path("access/", views.access, name="access"),
]

"""The first set-up."""

from django.urls import path

from pim_portal.setup import views

urlpatterns = [path("", views.setup, name="setup")]

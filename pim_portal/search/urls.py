"""The search."""

from django.urls import path

from pim_portal.search import views

urlpatterns = [path("search/", views.search, name="search")]

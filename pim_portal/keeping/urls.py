"""How long the history is kept, and where the rest of it went."""

from django.urls import path

from pim_portal.keeping import views

urlpatterns = [
    path("audit/keeping/", views.keeping, name="keeping"),
    path("audit/keeping/change/", views.change, name="keeping_change"),
    path("audit/keeping/archives/<uuid:event>/", views.take, name="archive_take"),
]

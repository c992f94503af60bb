"""The pages of imports, which stand at every place."""

from django.urls import path

from pim_portal.imports import views

place_patterns = [
    path("imports/", views.imports, name="imports"),
    path("imports/<uuid:pk>/", views.report, name="import"),
    path("imports/<uuid:pk>/confirm/", views.confirm, name="import_confirm"),
    path("imports/<uuid:pk>/discard/", views.discard, name="import_discard"),
]

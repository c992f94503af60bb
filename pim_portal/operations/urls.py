"""Where monitors ask."""

from django.urls import path

from pim_portal.operations import health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("healthz/worker", health.worker, name="healthz_worker"),
    path("readyz", health.ready, name="readyz"),
]

"""Where monitors ask, the page of health, and the well-known places."""

from django.urls import path

from pim_portal.operations import health, views

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("healthz/worker", health.worker, name="healthz_worker"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("manage/health/", views.health, name="health"),
    path("robots.txt", views.robots_txt, name="robots_txt"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path(".well-known/change-password", views.change_password, name="change_password"),
]

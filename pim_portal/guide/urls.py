"""Where somebody begins, and what the words mean."""

from django.urls import path

from pim_portal.guide import views

urlpatterns = [
    path("quick-start/", views.quick_start, name="quick_start"),
    path("words/", views.words, name="words"),
]

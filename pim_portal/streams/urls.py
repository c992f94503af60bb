"""Where the history goes on to."""

from django.urls import path

from pim_portal.streams import views

urlpatterns = [
    path("web-hooks/", views.hooks, name="web_hooks"),
    path("web-hooks/add/", views.add, name="web_hook_add"),
    path("web-hooks/<uuid:pk>/", views.hook, name="web_hook"),
    path("web-hooks/<uuid:pk>/change/", views.change, name="web_hook_change"),
    path("web-hooks/<uuid:pk>/rotate/", views.rotate, name="web_hook_rotate"),
    path("web-hooks/<uuid:pk>/replay/", views.replay, name="web_hook_replay"),
    *(path(f"web-hooks/<uuid:pk>/{name}/", views.act, {"name": name}, name=f"web_hook_{name}") for name in views.ACTS),
]

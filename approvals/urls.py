"""My roles, my requests, approvals: everything below /tasks/."""

from django.urls import path

from approvals.views import activation, decisions, my_roles, requests

app_name = "approvals"

urlpatterns = [
    path("roles/", my_roles.my_roles, name="my_roles"),
    path("roles/activate/", activation.activate, name="activate"),
    path("roles/<uuid:pk>/deactivate/", my_roles.deactivate, name="deactivate"),
    path("requests/", requests.MyRequests.as_view(), name="my_requests"),
    path("requests/<uuid:pk>/cancel/", requests.cancel, name="cancel"),
    path("approvals/", decisions.approvals, name="approvals"),
    path("approvals/decide/", decisions.decide_selected, name="decide_selected"),
    path("approvals/<uuid:pk>/", requests.request_page, name="request"),
    path("approvals/<uuid:pk>/decide/", decisions.decide, name="decide"),
]

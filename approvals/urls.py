"""My roles, my requests, approvals: everything below /tasks/, and the requests at each place."""

from django.urls import path

from approvals.views import (
    activation,
    changing_settings,
    closing,
    copying,
    decisions,
    deputies,
    emergencies,
    history,
    moving,
    my_roles,
    profiles,
    prolonging,
    renewals,
    requests,
    settings_alone,
)

app_name = "approvals"

# Changing the settings of a role, at every place, a group's own node among them: it may wait for somebody else.
settings_patterns = [
    path("roles/<uuid:pk>/settings/edit/", changing_settings.edit, name="role_settings_edit"),
    path("roles/<uuid:pk>/settings/reset/", changing_settings.reset, name="role_settings_reset"),
    path("roles/<uuid:pk>/settings/copy/", copying.copy, name="role_settings_copy"),
]

# Included by `pim_portal.urls` for the directory, each administrative unit and each resource.
place_patterns = [
    path("requests/", history.PlaceRequests.as_view(), name="requests"),
    *settings_patterns,
]
resource_patterns = [path("move/", moving.move, name="place_move")]

urlpatterns = [
    path("roles/", my_roles.my_roles, name="my_roles"),
    path("roles/activate/", activation.activate, name="activate"),
    path("roles/profiles/", profiles.profiles, name="profiles"),
    path("roles/profiles/<uuid:pk>/activate/", activation.activate_profile, name="profile_activate"),
    path("roles/profiles/<uuid:pk>/rename/", profiles.rename, name="profile_rename"),
    path("roles/profiles/<uuid:pk>/pin/", profiles.pin, name="profile_pin"),
    path("roles/profiles/<uuid:pk>/delete/", profiles.delete, name="profile_delete"),
    path("roles/<uuid:pk>/emergency/", emergencies.break_glass, name="break_glass"),
    path("roles/<uuid:pk>/deactivate/", my_roles.deactivate, name="deactivate"),
    path("roles/<uuid:pk>/prolong/", prolonging.prolong, name="prolong"),
    path("roles/<uuid:pk>/extend/", renewals.extend, name="extend"),
    path("roles/<uuid:pk>/renew/", renewals.renew, name="renew"),
    path("requests/", requests.MyRequests.as_view(), name="my_requests"),
    path("requests/<uuid:pk>/cancel/", closing.cancel, name="cancel"),
    path("approvals/", decisions.approvals, name="approvals"),
    path("approvals/decide/", decisions.decide_selected, name="decide_selected"),
    path("approvals/deputies/", deputies.deputies, name="deputies"),
    path("approvals/deputies/add/", deputies.add_deputy, name="deputy_add"),
    path("approvals/deputies/<uuid:pk>/end/", deputies.end, name="deputy_end"),
    path("approvals/<uuid:pk>/", requests.request_page, name="request"),
    path("approvals/<uuid:pk>/decide/", decisions.decide, name="decide"),
    path("approvals/<uuid:pk>/emergency/", emergencies.review, name="emergency_review"),
    path("approvals/<uuid:pk>/alone/", settings_alone.change_alone, name="change_alone"),
    path("approvals/<uuid:pk>/cancel/", closing.cancel_for, name="cancel_for"),
]

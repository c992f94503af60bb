"""The pages of managing roles: those that stand at every place, and those that stand once."""

from django.urls import path

from roles.views import (
    assigning,
    assignments,
    catalogue,
    changing,
    duties,
    elevation,
    finding,
    places,
    reach,
    results,
    settings,
    tree,
)

# The settings of roles, which every place has, a group's own node among them. Changing them stands in approvals.
settings_patterns = [
    path("settings/", settings.SettingsList.as_view(), name="settings"),
    path("roles/<uuid:pk>/settings/", settings.role_settings, name="role_settings"),
    path("roles/<uuid:pk>/settings/difference/", settings.difference, name="role_settings_difference"),
]

# Included by `pim_portal.urls` for the directory, each administrative unit and each resource.
place_patterns = [
    # Places
    path("", places.overview, name="overview"),
    path("below/", places.Below.as_view(), name="below"),
    path("below/add/", tree.add, name="place_add"),
    # Roles
    path("roles/", catalogue.Roles.as_view(), name="roles"),
    path("roles/add/", catalogue.add, name="role_add"),
    path("roles/<uuid:pk>/", catalogue.role, name="role"),
    path("roles/<uuid:pk>/change/", catalogue.change, name="role_change"),
    path("roles/<uuid:pk>/retire/", catalogue.retire, name="role_retire"),
    path("roles/<uuid:pk>/restore/", catalogue.restore, name="role_restore"),
    # Assignments
    path("assignments/", assignments.assignments, name="assignments"),
    path("assignments/add/", assigning.add, name="assignments_add"),
    path("assignments/end/", changing.end_chosen, name="assignments_end"),
    path("assignments/<uuid:pk>/", assignments.assignment, name="assignment"),
    path("assignments/<uuid:pk>/change/", changing.change, name="assignment_change"),
    path("assignments/<uuid:pk>/renew/", changing.renew, name="assignment_renew"),
    path("assignments/<uuid:pk>/remove/", changing.remove, name="assignment_remove"),
    # Who can do what
    path("reach/", reach.ReachList.as_view(), name="reach"),
    # Settings
    *settings_patterns,
    # Separation of duties
    path("duties/", duties.DutyRules.as_view(), name="duties"),
    path("duties/add/", duties.add, name="duty_add"),
    path("duties/conflicts/", duties.Conflicts.as_view(), name="duty_conflicts"),
    path("duties/<uuid:pk>/", duties.rule, name="duty"),
    path("duties/<uuid:pk>/change/", duties.change, name="duty_change"),
    path("duties/<uuid:pk>/retire/", duties.retire, name="duty_retire"),
]

# What may be done with a place itself: none of it with the directory, and a unit stays where it stands.
unit_patterns = [
    path("rename/", tree.rename, name="place_rename"),
    path("retire/", tree.retire, name="place_retire"),
    path("restore/", tree.restore, name="place_restore"),
]

# Included by `pim_portal.urls` for each group: who is its member or owner, and what rules how one becomes it.
group_patterns = [
    path("members/", assignments.assignments, name="assignments"),
    path("members/add/", assigning.add, name="assignments_add"),
    path("members/end/", changing.end_chosen, name="assignments_end"),
    path("members/<uuid:pk>/", assignments.assignment, name="assignment"),
    path("members/<uuid:pk>/change/", changing.change, name="assignment_change"),
    path("members/<uuid:pk>/renew/", changing.renew, name="assignment_renew"),
    path("members/<uuid:pk>/remove/", changing.remove, name="assignment_remove"),
    *settings_patterns,
]

urlpatterns = [
    path("tasks/results/", results.results, name="results"),
    path("tasks/roles/find/", finding.FindRole.as_view(), name="find_role"),
    path("manage/resources/", places.Resources.as_view(), name="resources"),
    path("manage/resources/add/", tree.new_root, name="root_add"),
    path("manage/resources/elevate/", elevation.elevate, name="elevate"),
    path("manage/resources/elevate/end/", elevation.end, name="elevation_end"),
]

"""The pages of managing roles: those that stand at every place, and those that stand once."""

from django.urls import path

from roles.views import finding, places, reach, results

# Included by `pim_portal.urls` for the directory, each administrative unit and each resource.
place_patterns = [
    # Places
    path("", places.overview, name="overview"),
    path("below/", places.Below.as_view(), name="below"),
    # Roles
    # Assignments
    # Who can do what
    path("reach/", reach.ReachList.as_view(), name="reach"),
    # Settings
]

urlpatterns = [
    path("tasks/results/", results.results, name="results"),
    path("tasks/roles/find/", finding.FindRole.as_view(), name="find_role"),
    path("manage/resources/", places.Resources.as_view(), name="resources"),
]

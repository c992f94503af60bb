"""Every address of the portal. URLs are nouns, the verb comes last."""

from django.contrib import admin
from django.urls import include, path

import approvals.urls
import reviews.urls
import roles.urls
from pim_portal.alerts.urls import place_patterns as alerts
from pim_portal.imports.urls import place_patterns as imports
from pim_portal.people.urls import place_patterns as people
from pim_portal.people.views.groups import overview as group_overview

# The pages of every place, for the directory, its units and the resources alike; the higher apps add theirs.
PLACE = [
    *roles.urls.place_patterns,
    *approvals.urls.place_patterns,
    *reviews.urls.place_patterns,
    *alerts,
    *imports,
    *people,
]
UNIT = [*roles.urls.unit_patterns, *PLACE]
RESOURCE = [*roles.urls.unit_patterns, *approvals.urls.resource_patterns, *PLACE]
GROUP = [path("", group_overview, name="overview"), *roles.urls.group_patterns, *approvals.urls.settings_patterns]

handler500 = "pim_portal.errors.server_error"

urlpatterns = [
    path("", include("pim_portal.overview.urls")),
    path("", include("pim_portal.operations.urls")),
    path("", include("pim_portal.guide.urls")),
    path("", include("pim_portal.search.urls")),
    path("", include("pim_portal.notifications.urls")),
    path("tasks/", include("approvals.urls")),
    path("tasks/reviews/", include("reviews.urls")),
    path("manage/", include("pim_portal.exports.urls")),
    path("manage/", include("pim_portal.streams.urls")),
    path("", include("roles.urls")),
    path("manage/", include("pim_portal.people.urls")),
    path("manage/directory/", include((PLACE, "manage"), namespace="directory")),
    path("manage/directory/units/<uuid:place>/", include((UNIT, "manage"), namespace="unit")),
    path("manage/resources/<uuid:place>/", include((RESOURCE, "manage"), namespace="resource")),
    path("manage/groups/<uuid:place>/", include((GROUP, "manage"), namespace="group")),
    path("activity/", include("pim_portal.activity.urls")),
    path("activity/", include("pim_portal.keeping.urls")),
    path("account/", include("pim_portal.accounts.urls")),
    path("setup/", include("pim_portal.setup.urls")),
    path("demo/", include("pim_portal.demo.urls")),
    path("admin/", admin.site.urls),
]

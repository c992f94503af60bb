"""Every address of the portal. URLs are nouns, the verb comes last."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("pim_portal.overview.urls")),
    path("", include("pim_portal.operations.urls")),
    path("tasks/", include("approvals.urls")),
    path("manage/", include("pim_portal.people.urls")),
    path("activity/", include("pim_portal.activity.urls")),
    path("account/", include("pim_portal.accounts.urls")),
    path("setup/", include("pim_portal.setup.urls")),
    path("demo/", include("pim_portal.demo.urls")),
    path("admin/", admin.site.urls),
]

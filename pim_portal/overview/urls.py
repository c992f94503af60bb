"""The first page, and what one's roles allow."""

from django.urls import path

from pim_portal.overview.views import acting, licences, lists, pages, reviewing

urlpatterns = [
    path("", pages.overview, name="overview"),
    path("setup-checklist/<slug:step>/dismiss/", pages.dismiss_step, name="dismiss_step"),
    path("overview/<slug:world>/insights/", lists.insights, name="insights"),
    path("overview/<slug:world>/act/", acting.act, name="world_act"),
    path("overview/<slug:world>/review/", reviewing.start, name="world_review"),
    path("overview/<slug:world>/requests/", lists.WaitingRequests.as_view(), name="world_requests"),
    path("overview/<slug:world>/reviews/", lists.RunningReviews.as_view(), name="world_reviews"),
    path("overview/<slug:world>/<slug:listed>/", lists.Assignments.as_view(), name="world_list"),
    path("licences/", licences.Licences.as_view(), name="licences"),
    path("access/", pages.access, name="access"),
]

"""The pages of reviewers below /tasks/reviews/, and those that stand at every place."""

from django.urls import path

from reviews.views import instances, reviewing, series

app_name = "reviews"

urlpatterns = [
    path("", reviewing.reviews, name="reviews"),
    path("<uuid:pk>/", reviewing.ReviewPage.as_view(), name="review"),
    path("<uuid:pk>/all/", reviewing.say_all, name="say_all"),
    path("<uuid:pk>/results/", instances.results, name="results"),
]

# Included by `pim_portal.urls` for the directory, each administrative unit and each resource.
place_patterns = [
    path("reviews/", series.Reviews.as_view(), name="reviews"),
    path("reviews/add/", series.add, name="review_add"),
    path("reviews/<uuid:pk>/", series.Review.as_view(), name="review"),
    path("reviews/<uuid:pk>/change/", series.change, name="review_change"),
    path("reviews/<uuid:pk>/delete/", series.delete, name="review_delete"),
    path("reviews/<uuid:pk>/<uuid:instance>/", instances.InstancePage.as_view(), name="review_instance"),
    path("reviews/<uuid:pk>/<uuid:instance>/stop/", instances.stop_review, name="review_stop"),
    path("reviews/<uuid:pk>/<uuid:instance>/reset/", instances.reset_review, name="review_reset"),
    path("reviews/<uuid:pk>/<uuid:instance>/remind/", instances.remind_reviewers, name="review_remind"),
    path("reviews/<uuid:pk>/<uuid:instance>/apply/", instances.apply_results, name="review_apply"),
]

"""What Django admin shows. All of it stands here: the apps below know nothing of pages."""

from pim_portal.admin import alerts, history, people, portal, requests, reviews, roles

__all__ = ["alerts", "history", "people", "portal", "requests", "reviews", "roles"]

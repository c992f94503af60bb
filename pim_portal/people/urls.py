"""People and groups."""

from django.urls import path

from pim_portal.people.views import access, comparing, groups, leaving, people, placed

# At every place: what somebody has there.
place_patterns = [
    path("people/<uuid:pk>/", placed.person_at, name="person_at"),
    path("people/<uuid:pk>/compare/", comparing.compare_at, name="person_compare_at"),
]

urlpatterns = [
    path("people/", people.People.as_view(), name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<uuid:pk>/", people.person, name="person"),
    path("people/<uuid:pk>/access/", access.Access.as_view(), name="person_access"),
    path("people/<uuid:pk>/activity/", access.Activity.as_view(), name="person_activity"),
    path("people/<uuid:pk>/compare/", comparing.compare, name="person_compare"),
    path("people/<uuid:pk>/leave/", leaving.leave, name="person_leave"),
    path("people/<uuid:pk>/change/", people.change, name="person_change"),
    path("people/<uuid:pk>/invite/", people.invite_again, name="person_invite"),
    path("people/<uuid:pk>/disable/", people.disable, name="person_disable"),
    path("people/<uuid:pk>/enable/", people.enable, name="person_enable"),
    path("people/<uuid:pk>/reset/", people.reset, name="person_reset"),
    path("groups/", groups.Groups.as_view(), name="groups"),
    path("groups/add/", groups.add, name="group_add"),
    path("groups/<uuid:place>/", groups.overview, name="group"),
    path("groups/<uuid:pk>/change/", groups.change, name="group_change"),
    path("groups/<uuid:pk>/disable/", groups.disable, name="group_disable"),
    path("groups/<uuid:pk>/enable/", groups.enable, name="group_enable"),
]

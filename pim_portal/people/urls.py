"""People and groups."""

from django.urls import path

from pim_portal.people import views

urlpatterns = [
    path("people/", views.People.as_view(), name="people"),
    path("people/invite/", views.invite, name="invite"),
    path("people/<uuid:pk>/", views.person, name="person"),
    path("people/<uuid:pk>/invite/", views.invite_again, name="person_invite"),
    path("people/<uuid:pk>/disable/", views.disable, name="person_disable"),
    path("people/<uuid:pk>/enable/", views.enable, name="person_enable"),
    path("people/<uuid:pk>/reset/", views.reset, name="person_reset"),
    path("groups/", views.Groups.as_view(), name="groups"),
    path("groups/<uuid:pk>/", views.group, name="group"),
]

"""The doors of the demo. Outside it these addresses do not exist."""

from django.conf import settings
from django.urls import URLPattern, path

from pim_portal.demo import views

app_name = "demo"

doors = [
    path("", views.people, name="people"),
    path("codes/", views.codes, name="codes"),
    path("enter/", views.enter, name="enter"),
    path("mailbox/", views.Mailbox.as_view(), name="mailbox"),
    path("mailbox/<int:pk>/", views.mail, name="mail"),
    path("mailbox/<int:pk>/html/", views.mail_html, name="mail_html"),
    path("mailbox/<int:pk>/open/", views.open_as, name="open_as"),
]

urlpatterns: list[URLPattern] = doors if settings.PIM_DEMO else []

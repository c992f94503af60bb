"""What mails somebody gets, and what became of the mails that did not arrive."""

from django.urls import path

from pim_portal.notifications import views

urlpatterns = [
    path("account/notifications/", views.choose, name="notifications"),
    path("manage/mails/", views.mails, name="mails"),
    path("manage/mails/send/", views.send_again, name="mails_send"),
]

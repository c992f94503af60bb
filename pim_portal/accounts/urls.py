"""Signing in, getting back in, and one's own account."""

from django.urls import path

from pim_portal.accounts import views

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("second-factor/", views.second_factor, name="second_factor"),
    path("second-factor/enrol/", views.enrol, name="enrol"),
    path("entry/<str:secret>/", views.entry, name="entry"),
    path("password/", views.password_change, name="password_change"),
    path("factors/add/", views.factor_add, name="factor_add"),
    path("factors/<int:pk>/remove/", views.factor_remove, name="factor_remove"),
    path("recovery-codes/", views.recovery_codes, name="recovery_codes"),
    path("sessions/end/", views.sessions_end, name="sessions_end"),
]

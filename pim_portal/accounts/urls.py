"""Signing in, getting back in, and one's own account."""

from django.urls import path

from pim_portal.accounts.views import account, entry, factors, second_factor, sign_in

urlpatterns = [
    path("", account.account, name="account"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("second-factor/", second_factor.second_factor, name="second_factor"),
    path("second-factor/enrol/", second_factor.enrol, name="enrol"),
    path("entry/<str:secret>/", entry.entry, name="entry"),
    path("password/", account.password_change, name="password_change"),
    path("factors/add/", factors.factor_add, name="factor_add"),
    path("factors/<int:pk>/remove/", factors.factor_remove, name="factor_remove"),
    path("recovery-codes/", factors.recovery_codes, name="recovery_codes"),
    path("sessions/end/", account.sessions_end, name="sessions_end"),
]

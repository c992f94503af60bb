from django_otp.admin import OTPAdminSite


class PortalAdminSite(OTPAdminSite):
    """Django admin, opened only by a verified second factor."""

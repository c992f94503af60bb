from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class PimPortalConfig(AppConfig):
    name = "pim_portal"
    verbose_name = _("PIM Portal")


class PortalAdminConfig(AdminConfig):
    """Django admin behind the portal's own sign-in, second factor and roles."""

    default = False
    default_site = "pim_portal.portal_admin.PortalAdminSite"

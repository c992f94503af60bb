"""The addresses of the portal as the demo has them."""

from django.urls import include, path

from pim_portal.demo.urls import app_name, doors
from pim_portal.urls import urlpatterns as portal

urlpatterns = [path("demo/", include((doors, app_name))), *portal]

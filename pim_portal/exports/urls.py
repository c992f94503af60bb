"""Everything of one world as a file."""

from django.urls import path

from pim_portal.exports.contents import World
from pim_portal.exports.views import export

urlpatterns = [
    path("directory/export/", export, {"world": World.DIRECTORY}, name="directory_export"),
    path("resources/export/", export, {"world": World.RESOURCE}, name="resources_export"),
]

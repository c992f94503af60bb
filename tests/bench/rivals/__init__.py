"""A small Django project with the packages that the portal is compared with, in an environment of its own."""

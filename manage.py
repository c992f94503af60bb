#!/usr/bin/env python3
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pim_portal.settings")
    if sys.argv[1:2] == ["demo"]:
        from pim_portal.demo.environment import prepare

        prepare(sys.argv[2:], os.environ)
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018  (reads the environment, so that its mistakes are told without a traceback)
    except ImproperlyConfigured as mistakes:
        sys.stderr.write(f"{mistakes}\n")
        sys.exit(2)  # as after a mistake in a command line; 1 would say of verify_audit that the history is not well
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

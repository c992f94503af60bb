"""Import groups from a CSV file, as the operator."""

from pim_portal.imports.command import ImportThings


class Command(ImportThings):
    help = "Say line by line what a CSV file of groups would make; with --apply make it, all or nothing."
    sheet = "groups"

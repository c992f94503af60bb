"""Import people from a CSV file, as the operator."""

from pim_portal.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Say line by line what a CSV file of people would make; with --apply make it, all or nothing."
    sheet = "people"

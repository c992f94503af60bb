"""Import people from a CSV file, as the operator."""

from argparse import ArgumentParser

from pim_portal.imports.command import ImportThings


class Command(ImportThings):
    help = "Say line by line what a CSV file of people would make; with --apply make it, all or nothing."
    sheet = "people"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--invite", action="store_true", help="mail each new person their invitation")

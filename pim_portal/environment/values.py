"""Reading a value of the environment: a text, names, a switch, a number, an address. Mistakes are collected."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent.parent
LOOPBACK = {"127.0.0.1", "localhost"}


class Values:
    """The variables; collects mistakes while they are read. What it returns is only good when there are none."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = {name: value.strip() for name, value in variables.items()}
        self.mistakes: list[str] = []

    def text(self, name: str) -> str:
        return self.variables.get(name, "")

    def names(self, name: str) -> list[str]:
        return [entry.strip() for entry in self.text(name).split(",") if entry.strip()]

    def switch(self, name: str) -> bool:
        value = self.text(name).lower()
        if value in {"", "0", "false", "no", "off"}:
            return False
        if value not in {"1", "true", "yes", "on"}:
            self.mistakes.append(f"{name} is a switch: write 1 or 0.")
        return True

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdecimal() or not lowest <= int(value) <= highest:
            self.mistakes.append(f"{name} must be a whole number from {lowest} to {highest}.")
            return default
        return int(value)

    def split(self, name: str, value: str) -> SplitResult | None:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  (raises when it is no number)
        except ValueError:
            self.mistakes.append(f"{name} is not an address that can be read.")
            return None
        return parts

    def make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.mistakes.append(f"The folder {folder} cannot be made: {error.strerror}.")

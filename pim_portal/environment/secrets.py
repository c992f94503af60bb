"""Secrets, and the folder in which the portal keeps its own files."""

import os
import secrets
from pathlib import Path

from pim_portal.environment.values import BASE_DIR, Values

SECRET_LENGTH = 50
SECRET_DISTINCT = 15
TOKEN_LENGTH = 32
KNOWN_SECRETS = ("django-insecure", "changeme", "change-me", "secret-key", "secret_key", "example", "password")

HOW_TO_MAKE_A_KEY = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


class Secrets(Values):
    """What signs, and where the portal keeps its files."""

    def data_dir(self, demo: bool) -> Path:
        named = self.text("PIM_DATA_DIR")
        if named:
            return Path(named).expanduser().resolve()
        return BASE_DIR / (".demo" if demo else "data")

    def secret_key(self, data_dir: Path, *, generate: bool) -> str:
        secret = self.text("PIM_SECRET_KEY")
        if not secret and generate:
            return self.generated_secret(data_dir)
        if not secret:
            self.mistakes.append(f"PIM_SECRET_KEY is missing. {HOW_TO_MAKE_A_KEY}")
        else:
            self.judge_secret("PIM_SECRET_KEY", secret)
        for fallback in self.names("PIM_SECRET_KEY_FALLBACKS"):
            self.judge_secret("PIM_SECRET_KEY_FALLBACKS", fallback)
        return secret

    def judge_secret(self, name: str, secret: str) -> None:
        if len(secret) < SECRET_LENGTH:
            self.mistakes.append(f"{name} is too short: {SECRET_LENGTH} characters at least. {HOW_TO_MAKE_A_KEY}")
        elif len(set(secret)) < SECRET_DISTINCT:
            self.mistakes.append(f"{name} repeats itself and can be guessed. {HOW_TO_MAKE_A_KEY}")
        elif any(known in secret.lower() for known in KNOWN_SECRETS):
            self.mistakes.append(f"{name} looks like one from a manual. {HOW_TO_MAKE_A_KEY}")

    def generated_secret(self, data_dir: Path) -> str:
        """The secret of a demo or a developer: made once, so that sessions and factors live through a restart."""
        self.make(data_dir)
        file = data_dir / "secret-key"
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(64))
        except FileExistsError:
            pass
        except OSError as error:
            self.mistakes.append(f"{file} cannot be written: {error.strerror}.")
            return ""
        return file.read_text()

    def metrics_token(self) -> str:
        token = self.text("PIM_METRICS_TOKEN")
        if token and len(token) < TOKEN_LENGTH:
            self.mistakes.append(
                f"PIM_METRICS_TOKEN is too short: {TOKEN_LENGTH} characters at least. {HOW_TO_MAKE_A_KEY}"
            )
        return token

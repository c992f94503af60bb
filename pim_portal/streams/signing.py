"""Signing what a web hook is sent, in the way of Standard Webhooks (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Return a new secret: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, id: str, at: int, body: bytes) -> str:
    """Return the signature v1: HMAC-SHA256 over id, time (Unix seconds) and body with dots between, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def headers(keys: Iterable[str], *, id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message, signed with each of these secrets."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(key, id=id, at=at, body=body) for key in keys),
    }

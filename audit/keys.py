"""The key that signs the history: in a file of its own, for its owner only, never in the database.

Beside it, under the same name with `.pub`, stand the public keys that are trusted, one in hex a line: the present one
and those before it. Whoever verifies needs only that file.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from audit.proofs import key_id, read_keys

# A second host that made a key of its own would seal with one that the others do not trust.
HOW_TO_GET_IT = "Copy it from where the worker runs; where it is missing there, run manage.py audit_key there."


class KeyUnusable(Exception):  # noqa: N818 - it says what is the matter
    """There is no key, or not one that may be used; says what to do."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key and how it is called."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def id(self) -> str:
        return key_id(self.public)

    def sign(self, data: bytes) -> str:
        """Return the signature over `data`, in hex."""
        return self.private.sign(data).hex()


def public_file(file: Path) -> Path:
    """Return where the public keys beside this key file stand."""
    return file.with_name(f"{file.name}.pub")


def read(file: Path) -> SigningKey:
    """Return the key in this file. Raises `KeyUnusable` where it is missing, open to others, or no key."""
    try:
        mode = file.stat().st_mode
        data = file.read_bytes()
    except FileNotFoundError:
        raise KeyUnusable(f"There is no key at {file}. {HOW_TO_GET_IT}") from None
    except OSError as error:
        raise KeyUnusable(f"The key {file} cannot be read: {error.strerror}.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise KeyUnusable(f"The key {file} is open to others: chmod 600 {file}")
    try:
        key = load_pem_private_key(data, password=None)
    except ValueError as error:
        raise KeyUnusable(f"The file {file} holds no key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"The file {file} holds no Ed25519 key.")
    return SigningKey(key)


def make(file: Path, *, replacing: bool = False) -> SigningKey:
    """Make a new key; the one that it replaces stays trusted, and is gone. Raises FileExistsError where one stands.

    The public key is written first: a key that nobody trusts never signs anything.
    """
    if file.exists() and not replacing:
        raise FileExistsError(file)
    key = SigningKey(Ed25519PrivateKey.generate())
    before = [read(file).public.hex()] if replacing and file.exists() else []
    _trust(file, [*before, key.public.hex()])
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written = _written(file.parent, pem, 0o600)
    try:
        if replacing:
            written.replace(file)
        else:
            os.link(written, file)  # never over another one's key
    finally:
        written.unlink(missing_ok=True)
    return key


def trusted(file: Path) -> dict[str, Ed25519PublicKey]:
    """Return the public keys that are trusted, by their ids. Raises `KeyUnusable` where there is none."""
    listed = public_file(file)
    try:
        keys = read_keys(listed.read_text().splitlines())
    except FileNotFoundError:
        keys = {}
    except (OSError, ValueError) as error:
        raise KeyUnusable(f"The public keys in {listed} cannot be read.") from error
    if not keys:
        raise KeyUnusable(f"There is no public key at {listed}. {HOW_TO_GET_IT}")
    return keys


def trust_again(file: Path) -> bool:
    """Write the public key of the key in this file beside it, where none stands there; return whether that was so.

    Those before it are not known here any more. Raises `KeyUnusable` where the key cannot be read, OSError.
    """
    listed = public_file(file)
    if listed.exists() and listed.read_bytes().strip():
        return False
    _trust(file, [read(file).public.hex()])
    return True


def _trust(file: Path, keys: list[str]) -> None:
    listed = public_file(file)
    there = listed.read_text().splitlines() if listed.exists() else []
    lines = [*there, *(key for key in keys if key not in there)]
    _written(file.parent, "".join(f"{line}\n" for line in lines).encode(), 0o644).replace(listed)


def _written(folder: Path, data: bytes, mode: int) -> Path:
    """Write a file that is whole, on the disk and for nobody else from its first moment on."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".audit-key-")
    with open(descriptor, "wb") as new:
        new.write(data)
        os.fchmod(new.fileno(), mode)
        new.flush()
        os.fsync(new.fileno())
    return Path(name)

"""Encryption of personal columns: SM4-GCM under a key id, and a keyed hash for look-up.

Sources: GB/T 32907-2016 (SM4), GB/T 39786-2021 (key rotation ids in the ciphertext). The keys come from
``FIELD_KEYS`` (JSON) or, at first start, are generated into ``DATA_DIR/field-keys.json``, readable by the owner alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from .sm3 import hmac_sm3

NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 16


@dataclass(frozen=True)
class Keyring:
    """The keys in use. ``current`` encrypts; every key in ``keys`` (16 bytes each, by id) decrypts."""

    keys: dict[str, bytes]
    current: str
    hash_key: bytes

    def encrypt(self, text: str) -> str:
        """``key id : base64(nonce + tag + ciphertext)``."""
        nonce = os.urandom(NONCE_BYTES)
        encryptor = Cipher(SM4(self.keys[self.current]), GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(self.current.encode())
        ciphertext = encryptor.update(text.encode()) + encryptor.finalize()
        return f"{self.current}:{binascii.b2a_base64(nonce + encryptor.tag + ciphertext, newline=False).decode()}"

    def decrypt(self, stored: str) -> str:
        """The text. Raises KeyError for an unknown key id, ``cryptography``'s InvalidTag if it was tampered with."""
        key_id, _, encoded = stored.partition(":")
        raw = base64.b64decode(encoded)
        nonce, tag, ciphertext = (
            raw[:NONCE_BYTES],
            raw[NONCE_BYTES : NONCE_BYTES + TAG_BYTES],
            raw[NONCE_BYTES + TAG_BYTES :],
        )
        decryptor = Cipher(SM4(self.keys[key_id]), GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(key_id.encode())
        return (decryptor.update(ciphertext) + decryptor.finalize()).decode()

    def digest(self, text: str) -> str:
        """A keyed hash (HMAC-SM3, 64 hexadecimal digits) of the normalized text, equal for equal texts only."""
        return hmac_sm3(self.hash_key, text.strip().upper().encode()).hex()

    @classmethod
    def generate(cls) -> Keyring:
        return cls({"k1": secrets.token_bytes(16)}, "k1", secrets.token_bytes(32))

    def to_json(self) -> str:
        keys = {key_id: base64.b64encode(key).decode() for key_id, key in self.keys.items()}
        return json.dumps({"keys": keys, "current": self.current, "hash_key": base64.b64encode(self.hash_key).decode()})

    @classmethod
    def from_json(cls, text: str) -> Keyring:
        data = json.loads(text)
        keys = {key_id: base64.b64decode(key) for key_id, key in data["keys"].items()}
        return cls(keys, data["current"], base64.b64decode(data["hash_key"]))


RELOAD_SECONDS = 1.0
"""A key file that has changed is read again after so long at most: keys are rotated while the system runs."""

_keyring: Keyring | None = None
_file: Path | None = None
_file_state: tuple[int, int] = (0, 0)
_looked_at = 0.0


def use_keyring(ring: Keyring) -> None:
    """Set the keys of this process, for good."""
    global _keyring, _file
    _keyring, _file = ring, None


def keyring() -> Keyring:
    """The keys of this process. Raises RuntimeError before ``use_keyring`` or ``load_keyring``."""
    if _keyring is None:
        raise RuntimeError("No encryption keys loaded: call load_keyring(data_dir) at start")
    if _file is not None and time.monotonic() - _looked_at > RELOAD_SECONDS:
        _look_again(_file)
    return _keyring


def _look_again(path: Path) -> None:
    """Read the key file if it has changed. One that cannot be read leaves the keys as they are."""
    global _keyring, _file_state, _looked_at
    _looked_at = time.monotonic()
    try:
        state = _state(path)
        if state != _file_state:
            _keyring, _file_state = Keyring.from_json(path.read_text()), state
    except (OSError, ValueError, KeyError):
        pass


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def key_file(data_dir: Path) -> Path:
    return Path(data_dir) / "field-keys.json"


def store_keyring(data_dir: Path, ring: Keyring) -> None:
    """Write the key file anew, whole or not at all, readable by its owner alone."""
    path = key_file(data_dir)
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(ring.to_json())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_keyring(data_dir: Path, environ: dict[str, str] | os._Environ[str] = os.environ) -> Keyring:
    """Load the keys for this process, generating them at first start. Two processes that start together agree."""
    global _file, _file_state, _looked_at
    if environ.get("FIELD_KEYS"):
        ring = Keyring.from_json(environ["FIELD_KEYS"])
    else:
        path = key_file(data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(Keyring.generate().to_json())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # fails if another process was first; then its keys count
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        state = _state(path)
        ring = Keyring.from_json(path.read_text())
        use_keyring(ring)
        _file, _file_state, _looked_at = path, state, time.monotonic()
        return ring
    use_keyring(ring)
    return ring

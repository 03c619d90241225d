"""Ed25519 keys and signatures. The library for them is optional, so it is imported when a key is there to be used.

A signature as it is kept names its key: one byte for the algorithm, the public key, the signature proper. So each can
be checked by itself, and whoever knows which keys to trust compares the key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NewType

from isovc.errors import KeyUnusable, SigningNotInstalled

PublicKey = NewType("PublicKey", bytes)  # 32 bytes

ED25519 = 1  # the first byte of a signature; another algorithm or layout is another number
_KEY = 32  # bytes
SIGNATURE_BYTES = 1 + _KEY + 64

Sign = Callable[[bytes], bytes]


def new_key(passphrase: str) -> tuple[bytes, bytes]:
    """A private key and its public one, as PEM. A passphrase that is not empty encrypts the private one."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise SigningNotInstalled from None
    made = Ed25519PrivateKey.generate()
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        locked = serialization.BestAvailableEncryption(passphrase.encode())
    private = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def signer(pem: bytes, passphrase: str, *, source: Path) -> Sign:
    """What signs with a private key. `source` is where it was read, for errors."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise SigningNotInstalled from None
    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase and _is_locked(pem) else None)
    except TypeError:  # it is locked, and no passphrase was given
        raise KeyUnusable(path=source, why="it is locked with a passphrase, and none was given") from None
    except (ValueError, UnsupportedAlgorithm):  # what the library says may quote the key
        why = "the passphrase does not fit" if _is_locked(pem) else "it is no private key in PEM"
        raise KeyUnusable(path=source, why=why) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(path=source, why="it is a key of another kind than Ed25519")
    name = bytes([ED25519]) + key.public_key().public_bytes_raw()
    return lambda content: name + key.sign(content)


def public_key(pem: bytes, *, source: Path) -> PublicKey:
    """The public key in a file that `new_key` made, or any tool that writes PEM."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise SigningNotInstalled from None
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(path=source, why="it is no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(path=source, why="it is a key of another kind than Ed25519")
    return PublicKey(key.public_bytes_raw())


def can_check() -> bool:
    """Whether the library is there."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError:
        return False
    return True


def key_of(signature: bytes) -> PublicKey | None:
    """The key that a signature names; None: it is none of ours."""
    if len(signature) != SIGNATURE_BYTES or signature[0] != ED25519:
        return None
    return PublicKey(signature[1 : 1 + _KEY])


def is_genuine(content: bytes, signature: bytes) -> bool:
    """Whether the key that it names has signed this content."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise SigningNotInstalled from None
    key = key_of(signature)
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature[1 + _KEY :], content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_locked(pem: bytes) -> bool:
    return b"ENCRYPTED" in pem

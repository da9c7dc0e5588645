"""The formats of docs/formats/envelope.md, written from that page alone with the package `cryptography`.

It shares no code with the Rust crate: that both agree is the test.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise ValueError("not canonical base64url")
    return data


def fields(*members):
    members = [member.encode() if isinstance(member, str) else member for member in members]
    return b"".join(len(member).to_bytes(8, "big") + member for member in members)


def key_id(key):
    return hashlib.sha256(b"dango:v1:key-id\0" + key).hexdigest()[:16]


def derive(key, role, purpose):
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"dango:v1:{role}:{purpose}".encode()).derive(key)


def mac(key, message):
    return hmac.digest(key, message, "sha256")


def associated_data(purpose, kind, parts):
    return fields("dango:v1", purpose, kind, *parts)


def seal(key, purpose, kind, parts, plain, nonce):
    cipher = AESGCM(derive(key, "envelope", purpose))
    sealed = cipher.encrypt(nonce, plain.encode(), associated_data(purpose, kind, parts))
    return f"dango:v1:{key_id(key)}:{b64(nonce + sealed)}"


def open_envelope(key, purpose, kind, parts, envelope):
    name, version, identity, payload = envelope.split(":")
    if (name, version, identity) != ("dango", "v1", key_id(key)):
        raise ValueError("no envelope of this key")
    payload = unb64(payload)
    cipher = AESGCM(derive(key, "envelope", purpose))
    return cipher.decrypt(payload[:12], payload[12:], associated_data(purpose, kind, parts)).decode()


def seal_row(key, project, name, revision, plain, nonce):
    data = fields("dango:row:v1", project, name, revision.to_bytes(8, "big"))
    return nonce + AESGCM(derive(key, "row", "file")).encrypt(nonce, plain, data)


def file_digest(key, purpose, counter, values):
    """values: pairs of name and envelope, in any order."""
    message = fields("dango:seal:v1", purpose, counter.to_bytes(8, "big"))
    for name, envelope in sorted((name.encode(), envelope.encode()) for name, envelope in values):
        message += fields(name, envelope)
    return mac(derive(key, "file-seal", purpose), message)


def file_comment(key, purpose, counter, values):
    return f"# dango:seal:v1:{key_id(key)}:{counter}:{b64(file_digest(key, purpose, counter, values))}"


def seen_state(key, purpose, counter, values):
    fingerprints = derive(key, "sealed-fingerprint", purpose)
    lines = sorted((name.encode(), mac(fingerprints, fields(name, envelope))[:16]) for name, envelope in values)
    text = f"dango:seen:v1\npurpose {purpose}\nkey {key_id(key)}\ncounter {counter}\n"
    text += f"digest {b64(file_digest(key, purpose, counter, values))}\n"
    text += "".join(f"value {b64(fingerprint)} {name.decode()}\n" for name, fingerprint in lines)
    return text + f"mac {b64(mac(derive(key, 'seen', purpose), text.encode()))}\n"


def value_fingerprint(key, plain):
    return mac(derive(key, "value-fingerprint", ""), plain.encode())[:16].hex()


def key_set(keys):
    """keys: pairs of key and seconds since 1970 or None, the active one first."""
    entries = (f"{key_id(key)}.{'-' if created is None else created}.{b64(key)}" for key, created in keys)
    return "dango:keys:v1:" + ",".join(entries)


def wrap(keys, passphrase, salt, nonce, memory_kib=65536, passes=3, lanes=1):
    header = f"dango:wrapped-keys:v1\nkdf argon2id v=19 m={memory_kib} t={passes} p={lanes}\n"
    header += f"salt {b64(salt)}\nkeys {' '.join(key_id(key) for key, _ in keys)}\n"
    kdf = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    sealed = AESGCM(kdf.derive(passphrase.encode())).encrypt(nonce, key_set(keys).encode(), header.encode())
    return header + f"data {b64(nonce + sealed)}\n"

"""The formats of docs/formats/audit.md, written from that page alone; Ed25519 is that of the package `cryptography`.

It shares no code with the Rust crate: that both agree is the test.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DANGEROUS = [
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
]


def json_string(text):
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif any(first <= ord(char) <= last for first, last in DANGEROUS):
            units = char.encode("utf-16-be")
            out += [f"\\u{int.from_bytes(units[i:i + 2], 'big'):04x}" for i in range(0, len(units), 2)]
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def one_line(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(one_line, value)) + "]"
    return "{" + ",".join(f"{json_string(name)}:{one_line(member)}" for name, member in value.items()) + "}"


def field(member):
    if member is None:
        return b"\xff\xff\xff\xff"
    data = member.encode() if isinstance(member, str) else member
    return len(data).to_bytes(4, "big") + data


def i64(number):
    return number.to_bytes(8, "big", signed=True)


def mac(key, message):
    return hmac.digest(key, message, "sha256")


MEMBERS = ["event", "actor", "target", "outcome", "origin", "request_id", "details"]


def canonical_bytes(row):
    return b"\x01" + i64(row["seq"]) + i64(row["at"]) + b"".join(field(row[member]) for member in MEMBERS)


def personal_id(entry, salt):
    members = ["dango:audit:v1:personal", salt, entry["subject"], entry["label"], entry["ip"], entry["user_agent"]]
    return hashlib.sha256(b"".join(map(field, members))).digest()


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def root(hashes):
    """MTH of RFC 6962 section 2.1, over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + root(hashes[:split]) + root(hashes[split:])).digest()


def inclusion(index, hashes):
    """PATH of RFC 6962 section 2.1.1."""
    if len(hashes) == 1:
        return []
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    if index < split:
        return inclusion(index, hashes[:split]) + [root(hashes[split:])]
    return inclusion(index - split, hashes[split:]) + [root(hashes[:split])]


def consistency(first, hashes, whole=True):
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if first == len(hashes):
        return [] if whole else [root(hashes)]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    if first <= split:
        return consistency(first, hashes[:split], whole) + [root(hashes[split:])]
    return consistency(first - split, hashes[split:], False) + [root(hashes[:split])]


def frontier(hashes):
    parts, size = [], len(hashes)
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            parts.append(root(hashes[: 1 << bit]))
            hashes = hashes[1 << bit:]
    return b"".join(parts)


def head_tag(chain_key, seq, count, last_hash, frontier_bytes):
    key = mac(chain_key, b"dango:audit:v1:head")
    return mac(key, i64(seq) + i64(count) + last_hash + field(frontier_bytes))


def segment_tag(chain_key, first_seq, last_seq, first_at, last_at, last_hash, frontier_bytes):
    key = mac(chain_key, b"dango:audit:v1:segment")
    numbers = b"".join(map(i64, [first_seq, last_seq, first_at, last_at]))
    return mac(key, numbers + last_hash + field(frontier_bytes))


def checkpoint(name, seed, size, root_hash):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = b"\x01" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    text = f"{name}\n{size}\n{base64.b64encode(root_hash).decode()}\n"
    signature = base64.b64encode(key_id + key.sign(text.encode())).decode()
    verifier = f"{name}+{key_id.hex()}+{base64.b64encode(public).decode()}"
    return f"{text}\n\u2014 {name} {signature}\n", verifier

"""Writes vectors.json beside this file: fixed keys, nonces and inputs, and what docs/formats/envelope.md makes of them.

    pip install cryptography==50.0.2 && python make.py
"""

import json
import pathlib

import cryptography

import dango_format as dango

FIRST = bytes(range(32))
SECOND = bytes(255 - byte for byte in range(32))


def envelope(key, purpose, kind, parts, plain, nonce):
    return {
        "key": key.hex(),
        "purpose": purpose,
        "kind": kind,
        "parts": parts,
        "plain": plain,
        "nonce": nonce.hex(),
        "key_id": dango.key_id(key),
        "derived_key": dango.derive(key, "envelope", purpose).hex(),
        "associated_data": dango.associated_data(purpose, kind, parts).hex(),
        "envelope": dango.seal(key, purpose, kind, parts, plain, nonce),
    }


def nonces():
    for first in range(256):
        yield bytes((first * 17 + at * 29) % 256 for at in range(12))


def envelopes():
    path = ["sources.stripe.api_key"]
    cases = [
        (FIRST, "secrets.toml", "path", path, '"sk_live_51H"'),
        (SECOND, "secrets.toml", "path", path, '"sk_live_51H"'),
        (FIRST, "secrets.toml", "path", ['sources."my.db".port'], "5432"),
        (FIRST, "secrets.toml", "path", ['sources."e\u0301\U0001f361 \\n"."a\\"b"'], "true"),
        (FIRST, "secrets.toml", "path", ["destination.key"], '"""\n-----BEGIN KEY-----\n\u00e9\n"""'),
        (FIRST, "secrets.toml", "path", ["a"], "{ a = 1, b = [2026-11-21T21:34:00Z, 0x1f, 1e3] }"),
        (FIRST, ".env", "variable", ["STRIPE_API_KEY"], "sk_live_51H"),
        (FIRST, ".env", "variable", ["EMPTY"], ""),
        (FIRST, "history", "path", path, '"sk_live_old"'),
        (FIRST, "history", "variable", ["STRIPE_API_KEY"], "x" * 100),
        (FIRST, "totp", "cell", ["factors", "secret", "0192f3c4"], "JBSWY3DPEHPK3PXP"),
    ]
    return [envelope(*case, nonce) for case, nonce in zip(cases, nonces())]


def file_seals(made):
    stripe, _, port, *_ = made
    toml = [(case["parts"][0], case["envelope"]) for case in (stripe, port)]
    twice = [("A", made[6]["envelope"]), ("A", made[7]["envelope"]), ("B", made[6]["envelope"])]
    cases = [("secrets.toml", 1, toml), ("secrets.toml", 4611686018427387904, toml[::-1]), (".env", 7, twice), (".env", 2, [])]
    for purpose, counter, values in cases:
        yield {
            "key": FIRST.hex(),
            "purpose": purpose,
            "counter": counter,
            "values": values,
            "digest": dango.b64(dango.file_digest(FIRST, purpose, counter, values)),
            "comment": dango.file_comment(FIRST, purpose, counter, values),
            "seen": dango.seen_state(FIRST, purpose, counter, values),
        }


def rows():
    cases = [
        (FIRST, "0123456789abcdef0123456789abcdef", ".env", 1, b"\x01A=1\n", bytes(range(12))),
        (FIRST, "0123456789abcdef0123456789abcdef", "secrets.toml", 268435456, b"\x00", bytes(range(12, 24))),
        (SECOND, "a-project", "history", 258, b"\x01\xff\x00not text", bytes(range(24, 36))),
    ]
    for key, project, name, revision, plain, nonce in cases:
        yield {
            "key": key.hex(),
            "project": project,
            "name": name,
            "revision": revision,
            "plain": plain.hex(),
            "nonce": nonce.hex(),
            "sealed": dango.seal_row(key, project, name, revision, plain, nonce).hex(),
        }


def key_sets():
    for keys in ([(FIRST, None)], [(SECOND, 1763765640), (FIRST, 0)]):
        yield {
            "keys": [{"key": key.hex(), "created": created} for key, created in keys],
            "text": dango.key_set(keys),
        }


def wrapped():
    cases = [
        ([(FIRST, None)], "correct horse battery staple", bytes(range(16)), bytes(range(100, 112)), {}),
        ([(SECOND, 1763765640), (FIRST, 0)], " p\u00e4ss\U0001f361 ", bytes(range(16, 32)), bytes(range(12)), {}),
        ([(FIRST, None)], "dearer", bytes(16), bytes(12), {"memory_kib": 70000, "passes": 4, "lanes": 2}),
    ]
    for keys, passphrase, salt, nonce, cost in cases:
        yield {
            "keys": dango.key_set(keys),
            "passphrase": passphrase,
            "salt": salt.hex(),
            "nonce": nonce.hex(),
            "default_cost": not cost,
            "text": dango.wrap(keys, passphrase, salt, nonce, **cost),
        }


def main():
    made = envelopes()
    vectors = {
        "made_by": f"make.py with cryptography {cryptography.__version__}",
        "envelopes": made,
        "file_seals": list(file_seals(made)),
        "rows": list(rows()),
        "key_sets": list(key_sets()),
        "wrapped": list(wrapped()),
        "value_fingerprints": [
            {"key": FIRST.hex(), "plain": plain, "fingerprint": dango.value_fingerprint(FIRST, plain)}
            for plain in ("", '"sk_live_51H"')
        ],
    }
    target = pathlib.Path(__file__).with_name("vectors.json")
    target.write_text(json.dumps(vectors, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

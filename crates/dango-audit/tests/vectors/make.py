"""Writes vectors.json beside this file: fixed keys, salts and records, and what docs/formats/audit.md makes of them.

    pip install cryptography && python make.py

`python make.py --check` only says whether the file is as it would be written.
"""

import json
import pathlib
import sys

import audit_format as audit

KEY, SEED, NAME = bytes(range(32)), bytes(range(32, 64)), "dango.example/audit"
ALICE, BOB, API_KEY = (f"0192f3a4-7c1e-7abc-8def-0000000000{number:02x}" for number in (1, 2, 5))
SESSION, REQUEST = (f"0192f3a4-7c1e-7abc-8def-0000000000{number:02x}" for number in (9, 8))
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
START = 1_700_000_000_000_000


def entries():
    user = lambda who: f"user:{who}"
    facts = [
        (user(ALICE), "alice@example.com", "192.0.2.7", AGENT),
        (user(ALICE), "alice@example.com", None, None),
        ("unknown", None, "2001:db8::7", "a\\u{d}\\u{a}\\u{202e}b \"q\" é"),
        ("cli:1000", "alice", None, None),
        (user(ALICE), "deploy", None, None),
        (user(BOB), "bob@example.com", None, None),
    ]
    made = []
    for number, (subject, label, ip, user_agent) in enumerate(facts):
        # What a test gives instead of randomness: a number in eight bytes, counted on.
        salt = b"".join((1 + 4 * number + part).to_bytes(8, "big") for part in range(4))
        entry = {"subject": subject, "label": label, "ip": ip, "user_agent": user_agent}
        made.append(entry | {"salt": salt.hex(), "id": audit.personal_id(entry, salt).hex()})
    return made


def records(personal):
    def party(kind, who, entry=None):
        return {"kind": kind, "id": who, "personal": None if entry is None else personal[entry]["id"]}

    path = 'sources."a\\"b".key'
    cli, variable = party("cli", "1000", 3), party("variable", "STRIPE_API_KEY")
    set_details = {"action": "created", "key": "STRIPE_API_KEY"}
    return [
        ("login_success", party("user", ALICE, 0), party("user", ALICE, 1), "success", SESSION, REQUEST, {"factors": ["password", "totp"]}),
        ("login_failure", party("user", None, 2), None, "denied", None, None, {"reason": "no_account", "attempts": 3}),
        ("secret_set", cli, variable, None, None, None, {"phase": "intent"} | set_details),
        ("secret_set", cli, variable, "failure", None, None, {"intent": 3} | set_details | {"encrypted": True}),
        ("role_changed", party("api_key", API_KEY, 4), party("user", BOB, 5), "success", None, REQUEST, {"old_role": "viewer", "new_role": "editor"}),
        ("secret_deleted", cli, party("secret", path), "success", None, None, {"path": path, "count": -1}),
        ("server_stopped", party("system", None), party("server", None), "success", None, None, {}),
    ]


def chain(personal):
    rows, prev = [], bytes(32)
    for index, (event, actor, target, outcome, session, request_id, details) in enumerate(records(personal)):
        row = {
            "seq": index + 1,
            "at": START + index * 1_000_001,
            "event": event,
            "actor": audit.one_line(actor),
            "target": None if target is None else audit.one_line(target),
            "outcome": outcome,
            "origin": audit.one_line({"session": session}),
            "request_id": request_id,
            "details": audit.one_line(details),
        }
        leaf = audit.canonical_bytes(row)
        row |= {"prev_hash": prev.hex(), "canonical_bytes": leaf.hex()}
        prev = audit.mac(KEY, prev + leaf)
        rows.append(row | {"hash": prev.hex()})
    return rows


def vectors():
    personal = entries()
    rows = chain(personal)
    leaves = [audit.leaf_hash(bytes.fromhex(row["canonical_bytes"])) for row in rows]
    heads, checkpoints = [], []
    for size in range(1, len(rows) + 1):
        last, frontier = bytes.fromhex(rows[size - 1]["hash"]), audit.frontier(leaves[:size])
        heads.append({"seq": size, "count": size, "hash": last.hex(), "frontier": frontier.hex(), "tag": audit.head_tag(KEY, size, size, last, frontier).hex()})
        note, verifier = audit.checkpoint(NAME, SEED, size, audit.root(leaves[:size]))
        checkpoints.append({"size": size, "note": note, "verifier": verifier})
    pruned = 2
    last, frontier = bytes.fromhex(rows[pruned - 1]["hash"]), audit.frontier(leaves[:pruned])
    times = rows[0]["at"], rows[pruned - 1]["at"]
    segment = {"first_seq": 1, "last_seq": pruned, "first_at": times[0], "last_at": times[1], "hash": last.hex(), "frontier": frontier.hex()}
    segment["tag"] = audit.segment_tag(KEY, 1, pruned, *times, last, frontier).hex()
    hexes = lambda hashes: [one.hex() for one in hashes]
    return {
        "chain_key": KEY.hex(),
        "checkpoint_seed": SEED.hex(),
        "log_name": NAME,
        "personal": personal,
        "records": rows,
        "heads": heads,
        "segment": segment,
        "checkpoints": checkpoints,
        "inclusion": [{"seq": index + 1, "size": len(rows), "path": hexes(audit.inclusion(index, leaves))} for index in range(len(rows))],
        "consistency": [{"first": first, "second": len(rows), "path": hexes(audit.consistency(first, leaves))} for first in range(1, len(rows) + 1)],
    }


if __name__ == "__main__":
    file = pathlib.Path(__file__).with_name("vectors.json")
    text = json.dumps(vectors(), indent=2, ensure_ascii=True) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if file.read_text() == text else "vectors.json is not what the page says")
    file.write_text(text)

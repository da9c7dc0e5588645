"""Makes tomlkit-verdicts.json: documents in odd orders, and whether dlt's parser reads them.

Run with tomlkit 0.15.2 and Python 3.11 or newer (tomllib says which documents are TOML at all):
    python tomlkit_verdicts.py > tomlkit-verdicts.json
"""

import json
import random
import tomllib

import tomlkit

WANTED = 300


def document(rng):
    lines = []
    for number in range(rng.randint(2, 8)):
        kind = rng.random()
        name = ".".join(rng.choice("abc") for _ in range(rng.choice([1, 1, 2, 2, 2, 3, 3, 4])))
        if kind < 0.5:
            lines.append(f"[{name}]")
        elif kind < 0.75:
            lines.append(f"[[{name}]]")
        else:
            key = ".".join(rng.choice("xyzab") for _ in range(rng.choice([1, 1, 2, 2, 3])))
            lines.append(f"{key} = {number}")
    return "\n".join(lines) + "\n"


def is_toml(text):
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def is_read(text):
    try:
        tomlkit.parse(text).unwrap()
    except Exception:  # tomlkit lets several of its own and of Python's through
        return False
    return True


def main():
    rng = random.Random(20240501)
    refused, read = [], []
    while len(refused) < WANTED:
        text = document(rng)
        if not is_toml(text):
            continue
        if not is_read(text):
            refused.append(text)
        elif len(read) < WANTED and len(text.splitlines()) > 4:
            read.append(text)
    print(json.dumps({"tomlkit": tomlkit.__version__, "refused": refused, "read": read}, indent=0))


main()

"""Reads a file over and over until standard input ends: argv is "toml" or "dotenv" and the file.

Every reading must parse, hold all that the one before held, and give each key the value that belongs to it. Prints
how many readings there were, how many differed from the one before, and what was wrong with the first bad one.
"""

import io
import json
import select
import sys
import tomllib

from dotenv import dotenv_values


def parse(kind, text):
    if kind == "toml":
        sources = tomllib.loads(text).get("sources", {})
        return {f"{name}.{key}": value for name, table in sources.items() for key, value in table.items()}
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return dotenv_values(stream=io.StringIO(text))


def problem(before, now):
    wrong = [key for key, value in now.items() if value != f"value of {key}"]
    lost = [key for key in before if key not in now]
    return f"wrong {wrong}, lost {lost}" if wrong or lost else None


kind, path = sys.argv[1:]
before, readings, changes, bad = {}, 0, 0, None
while bad is None and not select.select([sys.stdin], [], [], 0)[0]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        now = parse(kind, text)
        bad = problem(before, now)
    except ValueError as error:
        bad = f"{error}: {text!r}"
        break
    readings += 1
    changes += now.keys() != before.keys()
    before = now
json.dump({"readings": readings, "changes": changes, "bad": bad}, sys.stdout)

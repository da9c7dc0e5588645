"""Compares pairs of TOML files, old and new by turns, with tomlkit, as dlt reads them; prints the paths that differ in each pair as JSON."""

import json
import sys

import tomlkit


def load(path):
    with open(path, "rb") as file:
        return tomlkit.parse(file.read().removeprefix(b"\xef\xbb\xbf").decode()).unwrap()


def changes(old, new, path=()):
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from changes(old.get(key, {}), new.get(key, {}), (*path, key))
    elif old != new and not (old != old and new != new):
        yield list(path)


files = [load(path) for path in sys.argv[1:]]
json.dump([list(changes(old, new)) for old, new in zip(files[::2], files[1::2])], sys.stdout)

"""Writes files.json: machines, and the settings files that the real dlt would read on them.

Usage: python generate_files.py [NUMBER [SEED]] > files.json   (needs `pip install dlt`; POSIX only)

The machine is a temporary directory that is called `/r` in the result.
"""

import json
import os
import random
import sys
import tempfile
import warnings

import dlt
from dlt._workspace import _plugins, _workspace_context
from dlt.common.runtime import run_context

warnings.simplefilter("ignore")

VARIABLES = {
    "DLT_PROJECT_DIR": ["sub", "/r/elsewhere", "", "."],
    "XDG_DATA_HOME": ["/r/data", "data", ""],
    "WORKSPACE__PROFILE": ["prod", "", "my profile"],
    "DLT_CONFIG_FOLDER": ["conf", ".dlt", "", "/r/settings"],
    "DLT_DATA_DIR": ["/r/state"],
}
FILES = [
    "cwd/.dlt/.workspace", "cwd/sub/.dlt/.workspace", "cwd/conf/.workspace", "elsewhere/.dlt/.workspace", "settings/.workspace", "cwd/.workspace",
    "cwd/.dlt/profile-name", "cwd/sub/.dlt/profile-name", "cwd/conf/profile-name", "elsewhere/.dlt/profile-name", "settings/profile-name",
]
PINS = ["pinned\n", "  pinned\u2003\nsecond\n", "\n", "", "tests"]
DIRS = ["home", "home/.dlt", "home/conf"]


def make(choice):
    chosen = {name: choice.choice(values) for name, values in VARIABLES.items() if choice.random() < 0.35}
    files = {}
    for name in FILES:
        if choice.random() < (0.5 if name == "cwd/.dlt/.workspace" else 0.3):
            files[name] = choice.choice(PINS) if name.endswith("profile-name") else ""
    dirs = [name for name in DIRS if choice.random() < (0.85 if name == "home" else 0.4)]
    return {"variables": chosen, "files": files, "dirs": dirs if "home" in dirs else [], "uid": choice.choice([1000, 1000, 1000, 0])}


def play(machine):
    saved, before = dict(os.environ), os.getcwd()
    with tempfile.TemporaryDirectory() as root:
        root = os.path.realpath(root)
        try:
            for name in ["cwd", "tmp", *machine["dirs"]]:
                os.makedirs(os.path.join(root, name), exist_ok=True)
            for name, text in machine["files"].items():
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as out:
                    out.write(text)
            os.chdir(os.path.join(root, "cwd"))
            os.environ["HOME"] = os.path.join(root, "home")
            for name in VARIABLES:
                os.environ.pop(name, None)
            for name, value in machine["variables"].items():
                os.environ[name] = value.replace("/r/", root + "/")
            os.geteuid = lambda: machine["uid"]
            tempfile.tempdir = os.path.join(root, "tmp")
            # dlt reads this variable once, at import.
            folder = os.environ.get("DLT_CONFIG_FOLDER", ".dlt")
            for module in (run_context, _plugins, _workspace_context):
                module.DOT_DLT = folder
            context = _plugins.plug_workspace_context_impl(None, None) or run_context.RunContext(None)
            _, secrets, config = context.initial_providers()

            def paths(provider):
                return list(dict.fromkeys(os.path.abspath(path).replace(root, "/r", 1) for path in provider.locations))

            return {"profile": getattr(context, "profile", None), "secrets": paths(secrets), "config": paths(config)}
        finally:
            tempfile.tempdir = None
            os.chdir(before)
            os.environ.clear()
            os.environ.update(saved)


def main():
    choice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    machines = []
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 120):
        machine = make(choice)
        machine["expected"] = play(machine)
        machines.append(machine)
    lines = ",\n".join(json.dumps(machine) for machine in machines)
    print(f'{{"made_by": "generate_files.py", "versions": {json.dumps({"dlt": dlt.__version__})}, "machines": [\n{lines}\n]}}')


if __name__ == "__main__":
    main()

"""Writes lookups.json: scenes of environment, run secrets and settings files, and the place the real dlt takes a value from.

Usage: python generate_lookups.py [NUMBER [SEED]] > lookups.json   (needs `pip install dlt`)

Every value is a text of its own, so what dlt returns tells where it comes from. The files are written to a
temporary directory and read by dlt's own providers.
"""

import inspect
import json
import os
import random
import sys
import tempfile
import warnings

import dlt
import tomlkit
from dlt._workspace.providers import ProfileConfigTomlProvider, ProfileSecretsTomlProvider
from dlt.common.configuration import configspec, with_config
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ValueNotSecretException
from dlt.common.configuration.providers import ConfigTomlProvider, EnvironProvider, SecretsTomlProvider, environ
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.resolve import inject_section
from dlt.common.configuration.specs import CredentialsConfiguration, PluggableRunContext
from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.typing import TSecretStrValue

warnings.simplefilter("ignore")

SHAPES = [
    # sections, credentials or not
    (["sources", "mod", "src"], False), (["sources", "mod", "src"], True), (["sources", "same", "same"], False), (["sources", "same", "same"], True),
    (["sources", "name"], False), (["sources", "name"], True), (["sources"], False), ([], False), ([], True),
    (["destination", "postgres"], True), (["destination", "postgres"], False), (["destination", "mod", "src"], False),
    (["sources", "a", "b", "c"], False), (["sources", "a", "b", "c"], True), (["x", "y", "z"], False), (["sources", "my-mod", "src.x"], False),
    (["sources", "mod", "src"], False), (["sources", "mod", "src"], True),
]


@configspec
class SecretField(CredentialsConfiguration):
    client_secret: TSecretStrValue = None

    def parse_native_representation(self, native_value):
        if not isinstance(native_value, str):
            raise ValueError(native_value)
        self.client_secret = native_value


@configspec
class PlainField(CredentialsConfiguration):
    client_id: str = None

    def parse_native_representation(self, native_value):
        if not isinstance(native_value, str):
            raise ValueError(native_value)
        self.client_id = native_value


def ask(scene):
    """What the real dlt returns for the scene's path."""
    *sections, key = scene["path"]
    if scene["access"] == "secrets_item":
        # As dlt.secrets[…] does, without the cast.
        return dlt.secrets.get(".".join(scene["path"]))
    plain = scene["access"] == "plain_argument"
    if scene["credentials"]:
        sections = tuple(sections[:-1])
        spec = PlainField if plain else SecretField

        def take(credentials: spec = dlt.secrets.value):
            return credentials.client_id if plain else credentials.client_secret

    else:
        sections = tuple(sections)
        if plain:

            def take(client_id: str = dlt.config.value):
                return client_id

        else:

            def take(client_secret: str = dlt.secrets.value):
                return client_secret

    if len(sections) == 3 and sections[0] == "sources" and "." not in sections[2]:
        # The whole way, through a real source.
        taken = []

        def real(*args, **kwargs):
            taken.append(take(*args, **kwargs))
            return dlt.resource([1], name="r")

        real.__signature__ = inspect.signature(take)
        dlt.source(real, name=sections[2], section=sections[1])()
        return taken[0]
    return with_config(take, sections=sections)()


def candidates(scene, choice):
    """Paths that dlt tries and some that it does not."""
    *sections, key = scene["path"]
    tail = [key]
    if scene["credentials"]:
        sections, tail = sections[:-1], ["credentials", key]
    paths = [sections[:n] + tail for n in range(len(sections) + 1)]
    if len(sections) >= 3:
        paths += [[sections[0], sections[2]] + tail, [sections[2]] + tail, [sections[0], sections[1], "other"] + tail]
    paths += [["sources", "credentials", key], [key.upper()], sections + ["credentials", "credentials", key]]
    paths = [list(path) for path in dict.fromkeys(map(tuple, paths))]
    prefixed = [["pipe"] + path for path in paths] if scene["pipeline"] or choice.random() < 0.2 else []
    return paths + prefixed


def put(tree, path, value):
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            return False
    if path[-1] in tree:
        return False
    tree[path[-1]] = value
    return True


def make(number, choice):
    sections, credentials = choice.choice(SHAPES)
    access = choice.choices(["secret_argument", "plain_argument", "secrets_item"], [6, 2, 2])[0]
    key = "client_id" if access == "plain_argument" else "client_secret"
    path = sections + (["credentials"] if credentials else []) + [key]
    names = ["dev.", "", "global dev.", "global "] if choice.random() < 0.4 else ["", "global "]
    scene = {
        "path": path,
        "credentials": credentials,
        "access": access,
        "pipeline": choice.choice([None, None, "pipe"]) if access != "secrets_item" else choice.choice([None, "pipe"]),
        "dotenv_loaded": choice.random() < 0.5,
        "environment": {},
        "dotenv": {},
        "run_secrets": {},
        "secrets": [{"location": f"{name}secrets.toml", "tree": {}} for name in names],
        "config": [{"location": f"{name}config.toml", "tree": {}} for name in names],
    }
    where = {}
    empty = [choice.random() < 0.15]
    density = choice.choice([0.03, 0.08, 0.2])

    def value(provider, name, location, text_only):
        text = f"value {len(where)}"
        what = choice.random()
        if empty[0] and provider != "run_secrets" and what < 0.3:
            empty[0], text = False, ""
        where[text] = {"provider": provider, "name": name, "location": location}
        if text and not text_only and what > 0.9:
            return choice.choice([{"inner": text}, [text]])
        return text

    for tried in candidates(scene, choice):
        *rest, last = tried
        variable = EnvironProvider.get_key_name(last, *rest)
        secret = variable.lower().replace("_", "-")
        if choice.random() < density:
            scene["environment"].setdefault(variable, value("environment", variable, None, True))
        if choice.random() < density:
            scene["dotenv"].setdefault(variable, value("dotenv", variable, ".env", True))
        if choice.random() < density / 3:
            scene["run_secrets"].setdefault(secret, value("run_secrets", secret, "/run/secrets", True))
        for kind, provider in (("secrets", "secrets_toml"), ("config", "config_toml")):
            for file in scene[kind]:
                if choice.random() < (density if kind == "secrets" else density / 3):
                    put(file["tree"], tried, value(provider, tried, file["location"], credentials))
    # Things in the way, whole credentials and files that do not parse.
    if sections and choice.random() < 0.15:
        file = choice.choice(scene["secrets"])
        above = path[: choice.randint(1, len(path) - 1)]
        put(file["tree"], above, value("secrets_toml", above, file["location"], True))
    if credentials and choice.random() < 0.3:
        whole = path[:-1][choice.randint(0, len(sections)) :] if choice.random() < 0.2 else path[:-1]
        if choice.random() < 0.3:
            variable = EnvironProvider.get_key_name(whole[-1], *whole[:-1])
            scene["environment"].setdefault(variable, value("environment", variable, None, True))
        else:
            kind = choice.choice(["secrets", "secrets", "config"])
            file = choice.choice(scene[kind])
            put(file["tree"], whole, value(f"{kind}_toml", whole, file["location"], True))
    scene["broken"] = choice.choice(scene["secrets"] + scene["config"])["location"] if choice.random() < 0.05 else None
    return scene, where


def play(scene, where):
    """Puts the scene on stage and lets dlt answer."""
    with tempfile.TemporaryDirectory() as root:
        folders = {False: os.path.join(root, "project"), True: os.path.join(root, "global")}
        for folder in folders.values():
            os.mkdir(folder)
        profiled = len(scene["secrets"]) == 4
        for file in scene["secrets"] + scene["config"]:
            path = os.path.join(folders[file["location"].startswith("global ")], file["location"].removeprefix("global "))
            with open(path, "w", encoding="utf-8") as out:
                out.write("k = \n" if scene["broken"] == file["location"] else tomlkit.dumps(file["tree"]))
        os.mkdir(os.path.join(root, "run"))
        for name, text in scene["run_secrets"].items():
            with open(os.path.join(root, "run", name), "w", encoding="utf-8") as out:
                out.write(text)
        environ.SECRET_STORAGE_PATH = os.path.join(root, "run", "%s")
        saved = dict(os.environ)
        try:
            os.environ.update(scene["environment"])
            if scene["dotenv_loaded"]:
                # What python-dotenv's load_dotenv(override=False) does.
                for name, text in scene["dotenv"].items():
                    os.environ.setdefault(name, text)
            context = Container()[PluggableRunContext]
            before = context.providers
            try:
                if profiled:
                    files = [kind(folders[False], "dev", folders[True]) for kind in (ProfileSecretsTomlProvider, ProfileConfigTomlProvider)]
                else:
                    files = [kind(folders[False], folders[True]) for kind in (SecretsTomlProvider, ConfigTomlProvider)]
                context.providers = ConfigProvidersContainer([EnvironProvider(), *files])
                with inject_section(ConfigSectionContext(pipeline_name=scene["pipeline"])):
                    answer = ask(scene)
            finally:
                context.providers = before
        except TomlProviderReadException:
            return "unreadable"
        except ValueNotSecretException:
            return "not_secret"
        except ConfigFieldMissingException:
            return "missing"
        finally:
            os.environ.clear()
            os.environ.update(saved)
    if answer is None:
        return "missing"
    while not isinstance(answer, str):
        answer = answer[0] if isinstance(answer, list) else answer["inner"]
    for mark in ('{"inner":"', '["'):
        # A table or list that was asked for as text.
        if answer.startswith(mark):
            answer = answer[len(mark) :].split('"')[0]
    return where[answer]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    choice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    scenes, skipped = [], 0
    while len(scenes) < count:
        scene, where = make(len(scenes), choice)
        try:
            scene["expected"] = play(scene, where)
        except Exception as error:  # a value that the fake credentials cannot take, a merge that tomlkit cannot do
            skipped += 1
            print(type(error).__name__, str(error)[:100].replace("\n", " "), file=sys.stderr)
            continue
        scenes.append(scene)
    versions = json.dumps({"dlt": dlt.__version__, "tomlkit": tomlkit.__version__})
    lines = ",\n".join(json.dumps(scene) for scene in scenes)
    print(f'{{"made_by": "generate_lookups.py", "versions": {versions}, "scenes": [\n{lines}\n]}}')
    print(f"{skipped} skipped", file=sys.stderr)


if __name__ == "__main__":
    main()

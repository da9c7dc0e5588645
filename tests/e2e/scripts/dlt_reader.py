"""Asks the real dlt what it reads: a job on standard input, what dlt answered on standard output, both JSON.

A job is {"mode": "file" | "environment", "task": "strings" | "types" | "specs", …}. In mode "file" the working
directory is the project; in mode "environment" it is an empty one and everything comes from variables.
"""

import json
import os
import sys

import dlt
from dlt.common.configuration import configspec, resolve_configuration, with_config
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import (
    AwsCredentials,
    AzureCredentials,
    BaseConfiguration,
    ConnectionStringCredentials,
    CredentialsConfiguration,
    GcpOAuthCredentials,
    GcpServiceAccountCredentials,
)
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.typing import TSecretStrValue


def variable(key):
    return "__".join(key.split(".")).upper()


def injected(section, hints):
    """Lets dlt inject arguments with the given type hints, as it does for a source's function."""
    arguments = ", ".join(f"{name}: {hint} = dlt.secrets.value" for name, hint in hints.items())
    scope = {"__name__": __name__, "dlt": dlt}
    exec(f"def {section}({arguments}):\n    return locals()", scope)
    return with_config(scope[section], sections=("sources", section))()


def strings(job):
    """Compares the strings of every section and reports those that differ; the expected ones are in the job."""
    wrong = []
    for section in job["sections"]:
        if job["mode"] == "file":
            Container()[PluggableRunContext].reload(section["folder"])
        wrong += differences(job["mode"], section["name"], section["values"])
    return {"read": sum(len(section["values"]) for section in job["sections"]), "wrong": wrong}


def differences(mode, section, expected):
    """The strings of one section that dlt reads as something else, in any of three ways."""
    given = injected(section, {name: "str" for name in expected})
    wrong = []
    for name, value in expected.items():
        key = f"sources.{section}.{name}"
        seen = {"untyped": dlt.secrets.get(key), "as str": dlt.secrets.get(key, str), "injected": given[name]}
        if mode == "environment":
            seen["os.environ"] = os.environ.get(variable(key))
        for how, got in seen.items():
            if type(got) is not str or got != value:
                wrong.append({"name": name, "how": how, "got": repr(got), "expected": repr(value)})
    return wrong


def source(job):
    """A source of the name "e2e" as users write one, its argument injected by dlt.source."""

    @dlt.source(name="e2e", section="e2e")
    def e2e(token: str = dlt.secrets.value):
        @dlt.resource(name="rows")
        def rows():
            yield {"token": token}

        return rows

    return {"token": next(iter(e2e()))["token"]}


def types(job):
    """What dlt makes of each key on its own, and of each key injected with a type hint."""
    section = job["section"]
    alone = {name: dlt.secrets.get(f"sources.{section}.{name}") for name in job["names"]}
    given = injected(section, job["hints"]) if job["hints"] else {}
    # A hinted argument may be a dlt type; its repr and type name say all that a user can see.
    return {
        "alone": {name: [type(value).__name__, repr(value)] for name, value in alone.items()},
        "injected": {name: [type(given[name]).__name__, repr(given[name])] for name in job["hints"]},
    }


@configspec
class ZendeskCredentials(CredentialsConfiguration):
    """The fields of verified-sources' zendesk ZendeskCredentialsToken."""

    subdomain: str = None
    email: str = None
    token: TSecretStrValue = None


@configspec
class ZendeskOAuthCredentials(CredentialsConfiguration):
    """The fields of verified-sources' zendesk ZendeskCredentialsOAuth."""

    subdomain: str = None
    oauth_token: TSecretStrValue = None


@configspec
class SalesforceSession(CredentialsConfiguration):
    """The fields of verified-sources' salesforce that name an open session."""

    session_id: TSecretStrValue = None
    instance_url: str = None


@configspec
class SalesforceCredentials(CredentialsConfiguration):
    """The fields of verified-sources' salesforce SecurityTokenAuth."""

    user_name: str = None
    password: TSecretStrValue = None
    security_token: TSecretStrValue = None


@configspec
class KafkaCredentials(CredentialsConfiguration):
    """The fields of verified-sources' kafka KafkaCredentials."""

    bootstrap_servers: str = None
    group_id: str = None
    security_protocol: str = None
    sasl_mechanisms: str = None
    sasl_username: str = None
    sasl_password: TSecretStrValue = None


SPECS = {
    spec.__name__: spec
    for spec in [
        AwsCredentials,
        AzureCredentials,
        ConnectionStringCredentials,
        GcpOAuthCredentials,
        GcpServiceAccountCredentials,
        ZendeskCredentials,
        ZendeskOAuthCredentials,
        SalesforceSession,
        SalesforceCredentials,
        KafkaCredentials,
    ]
}


def specs(job):
    """Resolves credential specs as an argument `credentials` of a source's function is resolved."""
    resolved = {}
    for name, spec in job["specs"].items():

        @configspec
        class Arguments(BaseConfiguration):
            credentials: SPECS[spec] = None

        found = resolve_configuration(Arguments(), sections=("sources", name)).credentials
        resolved[name] = {field: value for field, value in dict(found).items() if value is not None}
        resolved[name]["is_resolved"] = found.is_resolved()
    return resolved


def main():
    job = json.load(sys.stdin)
    tasks = {"strings": strings, "source": source, "types": types, "specs": specs}
    json.dump(tasks[job["task"]](job), sys.stdout, default=str)


main()

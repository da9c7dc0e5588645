"""Keeps schemathesis at work: it may try everything but ending its own session, and the limit of one address does not silence it."""

import itertools
import os

import schemathesis

OWN, OTHER, SPARE = (os.environ[name] for name in ("DANGO_OWN_ID", "DANGO_OTHER_ID", "DANGO_SPARE_SESSION"))
ADDRESSES = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # What would deactivate, demote or lock out the one who asks is done to somebody else.
    if case.path_parameters.get("id") == OWN:
        case.path_parameters["id"] = OTHER
    if case.path == "/api/auth/logout" and "dango_session" in case.cookies:
        case.cookies["dango_session"] = SPARE
    # The server trusts what this machine says of a client's address.
    number = next(ADDRESSES)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

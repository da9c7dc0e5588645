"""Makes the user database of an earlier Dango with the real package, or checks the one that is here against it.

    python -m venv venv && venv/bin/pip install getdango==1.0.13
    venv/bin/python make.py           # makes the files anew: auth.db, audit.jsonl, credentials.json, schema-1.sql … schema-5.sql
    venv/bin/python make.py --check   # holds the files that are here against the package

Everything in the files was made up here: the people, their passwords, their keys. Nothing of it opens anything.
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

VERSION = "1.0.13"
HERE = Path(__file__).parent
NEWEST = 6


def dango(project, *arguments):
    """Runs the package's own command line."""
    command = [str(Path(sys.executable).with_name("dango")), *arguments]
    environment = {**os.environ, "DANGO_ADMIN_EMAIL": "admin@dango.test", "NO_COLOR": "1", "DANGO_TELEMETRY_DISABLED": "1"}
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)


def fill(project):
    """People of every kind. What they log in with is returned."""
    from dango.auth.audit import AuditEvent, log_auth_event
    from dango.auth.database import create_api_key, create_user, get_user_by_email, update_user
    from dango.auth.models import APIKey, Role, User, UserUpdate
    from dango.auth.security import (
        generate_api_key,
        generate_invite_token,
        generate_recovery_codes,
        get_key_prefix,
        hash_password,
        set_password,
    )
    from dango.auth.totp import consume_recovery_code, enable_totp, generate_totp_secret, setup_totp

    db = project / ".dango" / "auth.db"
    os.environ["DANGO_PROJECT_ROOT"] = str(project)
    now = datetime.now(timezone.utc)
    known = {}

    def add(email, role, password=None, **more):
        hashed = hash_password(password) if password else None
        user = create_user(db, User(email=email, role=Role(role), password_hash=hashed, **more))
        known[email] = {"password": password} if password else {}
        return user

    def key(user, name, **more):
        raw, hashed = generate_api_key()
        create_api_key(db, APIKey(user_id=user.id, name=name, key_hash=hashed, key_prefix=get_key_prefix(raw), **more))
        known[user.email].setdefault("api_keys", {})[name] = raw
        log_auth_event(AuditEvent.API_KEY_CREATED, user_id=user.id, email=user.email, ip="192.0.2.7", details={"name": name})

    def totp(user):
        secret, codes = generate_totp_secret(), generate_recovery_codes()
        setup_totp(db, user.id, secret, codes)
        known[user.email].update(totp=secret, recovery_codes=codes)

    # The one that `dango init` made, and what an administrator does at the command line.
    set_password("admin@dango.test", "admin: correct horse battery", db)
    known["admin@dango.test"] = {"password": "admin: correct horse battery"}
    admin = get_user_by_email(db, "admin@dango.test")
    totp(admin)
    enable_totp(db, admin.id)
    for name in ("editor@dango.test", "notanemail"):
        dango(project, "auth", "add-user", name)
    dango(project, "auth", "change-role", "editor@dango.test", "editor")
    editor = set_password("editor@dango.test", "editor: correct horse battery", db)
    editor = update_user(db, editor.id, UserUpdate(invite_token_hash=None, invite_expires_at=None, last_login=now - timedelta(days=1)))
    known[editor.email] = {"password": "editor: correct horse battery"}

    key(editor, "deploy")
    key(editor, "revoked", is_active=False)
    key(editor, "expired", expires_at=now - timedelta(days=1))
    key(editor, "until 2100", expires_at=datetime(2100, 1, 1, tzinfo=timezone.utc), last_used_at=now)
    key(editor, "odd \x1b[31m name " + "x" * 200)

    add("viewer@dango.test", "viewer", "viewer: päßwörd 🔑")
    add("temporary@dango.test", "viewer", "temporary: to be changed", must_change_password=True)
    left = add("left@dango.test", "editor", "left: correct horse battery")
    key(left, "of somebody who left")
    dango(project, "auth", "deactivate-user", "left@dango.test")
    half = add("half@dango.test", "viewer", "half: correct horse battery")
    totp(half)
    used = add("used@dango.test", "admin", "used: correct horse battery")
    totp(used)
    enable_totp(db, used.id)
    for _ in range(2):
        code = known[used.email]["recovery_codes"].pop(0)
        stored = get_user_by_email(db, used.email).recovery_codes
        assert consume_recovery_code(db, used.id, stored, code)
        known[used.email].setdefault("used_codes", []).append(code)
    add("locked@dango.test", "viewer", "locked: correct horse battery", failed_login_attempts=5, locked_until=now + timedelta(days=3650))

    invite = lambda until: {"invite_token_hash": generate_invite_token()[1], "invite_expires_at": until}
    add("invited@dango.test", "editor", **invite(datetime(2100, 1, 1, tzinfo=timezone.utc)))
    add("too-late@dango.test", "viewer", **invite(now - timedelta(days=1)))
    add("google@dango.test", "viewer", oauth_provider="google", oauth_id="113311331133113311331")

    # Texts that were addresses to earlier versions. The first two cannot be told apart; the last begins with a Cyrillic letter.
    for email in ("straße@dango.test", "strasse@dango.test", "zoë@bücher.example", "two words@dango.test", "аdmin@dango.test"):
        add(email, "viewer", "odd: correct horse battery")

    log_auth_event(AuditEvent.LOGIN_SUCCESS, user_id=editor.id, email=editor.email, ip="192.0.2.7")
    log_auth_event(AuditEvent.LOGIN_FAILURE, email="my password, typed into the wrong field", ip="2001:db8::7")
    log_auth_event(AuditEvent.LOGIN_FAILURE, user_id=editor.id, email=editor.email, ip="192.0.2.7")
    log_auth_event(AuditEvent.SECRET_SET, user_id=admin.id, email=admin.email, ip="192.0.2.8", details={"key": "STRIPE_API_KEY", "action": "created"})
    by_admin = {"old_role": "viewer", "new_role": "admin", "changed_by": admin.email}
    log_auth_event(AuditEvent.ROLE_CHANGED, user_id=used.id, email=used.email, ip="192.0.2.8", details=by_admin)
    log_auth_event(AuditEvent.CATALOG_VIEWED, user_id=editor.id, email=editor.email)
    return known


def migrated_to(version, path):
    """A database that has been through the first migrations only, with two people and a key."""
    import dango.migrations.runner as runner
    from dango.auth.security import hash_api_key, hash_password

    migrations = Path(runner.__file__).parent / "auth"
    steps = runner.MigrationRunner(path, "auth", migrations)
    for migration in steps.discover_migrations()[:version]:
        steps.apply_one(migration)
    with sqlite3.connect(path) as db:
        at = "2024-02-29T12:34:56.789012+00:00"
        rows = [("1" * 8 + "-0000-4000-8000-000000000001", "ada@dango.test", hash_password("ada: correct horse battery"), "admin"),
                ("2" * 8 + "-0000-4000-8000-000000000002", "bob@dango.test", None, "viewer")]
        for row in rows:
            db.execute("INSERT INTO users (id, email, password_hash, role, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)", (*row, at, at))
        key = hash_api_key("dango_ak_" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG")
        db.execute("INSERT INTO api_keys (id, user_id, name, key_hash, created_at) VALUES ('key', ?, 'old', ?, ?)", (rows[0][0], key, at))
    db.close()


def make(into):
    into.mkdir(parents=True, exist_ok=True)
    project = Path(tempfile.mkdtemp())
    dango(project, "init", "--skip-wizard", ".")
    known = fill(project)
    # Whoever closes last brings the write-ahead log into the file.
    shutil.copyfile(project / ".dango" / "auth.db", into / "auth.db")
    assert not (project / ".dango" / "auth.db-wal").exists()
    shutil.copyfile(project / ".dango" / "logs" / "audit.jsonl", into / "audit.jsonl")
    text = json.dumps({"made_with": f"getdango=={VERSION}", "people": known}, ensure_ascii=False, indent=1)
    (into / "credentials.json").write_text(text + "\n", encoding="utf-8")
    for version in range(1, NEWEST):
        path = project / f"schema-{version}.db"
        migrated_to(version, path)
        db = sqlite3.connect(path)
        (into / f"schema-{version}.sql").write_text("\n".join(db.iterdump()) + "\n", encoding="utf-8")
        db.close()


def shape(db):
    """What is the same in every database of a version."""
    tables = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    return tables, db.execute("SELECT version, description FROM _migrations ORDER BY version").fetchall()


def check():
    """The package itself accepts what the credentials say, and makes databases and logs of the same shape."""
    from dango.auth.database import list_users
    from dango.auth.security import hash_api_key, verify_password
    from dango.auth.totp import verify_recovery_code, verify_totp_code
    import pyotp

    fresh = Path(tempfile.mkdtemp())
    make(fresh)
    copy = fresh / "committed.db"
    shutil.copyfile(HERE / "auth.db", copy)
    ours, new = sqlite3.connect(copy), sqlite3.connect(fresh / "auth.db")
    assert shape(ours) == shape(new), "the schema is another one"
    emails = lambda db: db.execute("SELECT email, role, is_active, totp_enabled FROM users ORDER BY email").fetchall()
    assert emails(ours) == emails(new), "the people are others"
    hashes = {row[0] for row in ours.execute("SELECT key_hash FROM api_keys")}
    ours.close()
    people = json.loads((HERE / "credentials.json").read_text(encoding="utf-8"))["people"]
    for user in list_users(copy):
        known = people.get(user.email, {})
        if "password" in known:
            assert verify_password(known["password"], user.password_hash), user.email
        if "totp" in known:
            assert verify_totp_code(user.totp_secret, pyotp.TOTP(known["totp"]).now()), user.email
        for code in known.get("recovery_codes", []):
            assert verify_recovery_code(user.recovery_codes, code)[0], user.email
        for key in known.get("api_keys", {}).values():
            assert hash_api_key(key) in hashes, user.email
    for version in range(1, NEWEST):
        read = lambda folder: sqlite3.connect(":memory:").executescript((folder / f"schema-{version}.sql").read_text()).connection
        assert shape(read(HERE)) == shape(read(fresh)), f"schema {version} is another one"
    lines = lambda folder: [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    told = lambda folder: [(line["event"], sorted(line), sorted(line.get("details", {}))) for line in lines(folder)]
    assert told(HERE) == told(fresh), "the log tells of other things"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    found = importlib.metadata.version("getdango")
    if found != VERSION:
        sys.exit(f"this needs getdango=={VERSION}, and here is {found}")
    if parser.parse_args().check:
        check()
        print("what is here is what the package makes")
    else:
        make(HERE)

-- The audit log: rows are added and never changed. What a record's text says is authenticated byte for byte, so nothing here
-- may be normalised. The columns are named as the members of a record.

CREATE TABLE audit (
  seq INTEGER NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  target TEXT,
  outcome TEXT,
  origin TEXT NOT NULL,
  request_id TEXT,
  details TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_event ON audit (event);
CREATE INDEX audit_by_actor ON audit (iif(json_valid(actor), actor ->> '$.id', NULL));
CREATE INDEX audit_by_actor_personal ON audit (iif(json_valid(actor), actor ->> '$.personal', NULL));

-- Where the log ends; elsewhere than the records, so that a tail that was cut off is missed.
CREATE TABLE audit_head (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  count INTEGER NOT NULL,
  frontier BLOB NOT NULL,
  tag BLOB NOT NULL
) STRICT;

-- What stands for records that were pruned.
CREATE TABLE audit_segments (
  last_seq INTEGER NOT NULL PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  frontier BLOB NOT NULL,
  tag BLOB NOT NULL
) STRICT;

-- What can be erased: records refer to it by its salted hash.
CREATE TABLE audit_personal (
  id BLOB NOT NULL PRIMARY KEY,
  lookup BLOB NOT NULL UNIQUE,
  subject TEXT NOT NULL,
  label TEXT,
  ip TEXT,
  user_agent TEXT,
  salt BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_personal_by_subject ON audit_personal (subject);
CREATE INDEX audit_personal_by_label ON audit_personal (label COLLATE NOCASE);

-- Chains whose key was lost, put away where people can read them.
CREATE TABLE audit_retired (
  chain INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  target TEXT,
  outcome TEXT,
  origin TEXT NOT NULL,
  request_id TEXT,
  details TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_retired_heads (
  chain INTEGER NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  count INTEGER NOT NULL,
  frontier BLOB NOT NULL,
  tag BLOB NOT NULL
) STRICT;

CREATE TABLE audit_retired_segments (
  chain INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  frontier BLOB NOT NULL,
  tag BLOB NOT NULL,
  PRIMARY KEY (chain, last_seq)
) STRICT, WITHOUT ROWID;

-- INSERT OR REPLACE deletes without firing the trigger for deletions, so a place that is taken is refused before.
CREATE TRIGGER audit_is_appended BEFORE INSERT ON audit
WHEN new.seq IS NOT 1 + max(
  coalesce((SELECT max(seq) FROM audit), 0),
  coalesce((SELECT max(last_seq) FROM audit_segments), 0))
begin SELECT RAISE(ABORT, 'audit records are only appended'); END;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
begin SELECT RAISE(ABORT, 'audit records are never changed'); END;

-- A record goes only where a segment stands for it, or where it was put away.
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN old.seq > coalesce((SELECT max(last_seq) FROM audit_segments), 0)
  AND NOT EXISTS (
    SELECT 1 FROM audit_retired
    WHERE chain = (SELECT max(chain) FROM audit_retired) AND seq = old.seq AND hash = old.hash)
begin SELECT RAISE(ABORT, 'audit records are never deleted'); END;

CREATE TRIGGER audit_head_is_not_deleted BEFORE DELETE ON audit_head
WHEN NOT EXISTS (
  SELECT 1 FROM audit_retired_heads
  WHERE chain = (SELECT max(chain) FROM audit_retired_heads) AND tag = old.tag)
begin SELECT RAISE(ABORT, 'the head of the audit log is never deleted'); END;

CREATE TRIGGER audit_segments_are_appended BEFORE INSERT ON audit_segments
WHEN new.last_seq <= coalesce((SELECT max(last_seq) FROM audit_segments), 0)
begin SELECT RAISE(ABORT, 'audit segments are only appended'); END;

CREATE TRIGGER audit_segments_are_not_changed BEFORE UPDATE ON audit_segments
begin SELECT RAISE(ABORT, 'audit segments are never changed'); END;

CREATE TRIGGER audit_segments_are_not_deleted BEFORE DELETE ON audit_segments
WHEN NOT EXISTS (
  SELECT 1 FROM audit_retired_segments
  WHERE chain = (SELECT max(chain) FROM audit_retired_segments) AND last_seq = old.last_seq AND tag = old.tag)
begin SELECT RAISE(ABORT, 'audit segments are never deleted'); END;

CREATE TRIGGER audit_personal_is_not_changed BEFORE UPDATE ON audit_personal
begin SELECT RAISE(ABORT, 'personal data in the audit log is erased, never changed'); END;

CREATE TRIGGER audit_retired_is_not_changed BEFORE UPDATE ON audit_retired
begin SELECT RAISE(ABORT, 'audit records are never changed'); END;

CREATE TRIGGER audit_retired_is_not_deleted BEFORE DELETE ON audit_retired
begin SELECT RAISE(ABORT, 'audit records are never deleted'); END;

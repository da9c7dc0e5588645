-- Users and everything that belongs to one. Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDv7, 16 bytes;
-- digests and codes are made with keys that are not in here.

CREATE TABLE users (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  email TEXT NOT NULL CHECK (length(email) <= 1024),
  email_canonical TEXT NOT NULL CHECK (length(email_canonical) <= 4096),
  -- What two addresses share that a person cannot tell apart.
  email_likeness TEXT NOT NULL UNIQUE CHECK (length(email_likeness) <= 4096),
  role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  -- While no invitation was accepted: when the last one expires or expired.
  invite_expires_at INTEGER,
  must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_login_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_creation ON users (created_at, id);

-- The administrators of whom one must always be left.
CREATE INDEX users_who_administer ON users (id) WHERE role = 'admin' AND active = 1 AND invite_expires_at IS NULL;

CREATE TABLE passwords (
  user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  -- A PHC string of Argon2id, or a bcrypt string of an earlier version.
  record TEXT NOT NULL CHECK (length(record) <= 1024),
  set_at INTEGER NOT NULL,
  -- Only for a temporary one: when it is void, and whether somebody has logged in with it.
  expires_at INTEGER,
  used INTEGER CHECK (used IN (0, 1)),
  CHECK ((expires_at IS NULL) = (used IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
  digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  user_id BLOB NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The first administrator's claim; there is one at most.
CREATE TABLE bootstrap_claim (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  expires_at INTEGER NOT NULL
) STRICT;

-- Identities at other providers that open an account.
CREATE TABLE links (
  issuer TEXT NOT NULL CHECK (length(issuer) <= 255),
  subject TEXT NOT NULL CHECK (length(subject) <= 255),
  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  linked_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (user_id, issuer)
) STRICT, WITHOUT ROWID;

-- Budgets of tries, of accounts that exist and of those that do not.
CREATE TABLE attempts (
  account BLOB NOT NULL CHECK (length(account) = 32),
  -- A browser that has logged in to the account before; empty for all others.
  device_id BLOB NOT NULL CHECK (length(device_id) IN (0, 16)),
  failures INTEGER NOT NULL,
  total INTEGER NOT NULL,
  level INTEGER NOT NULL,
  "window" INTEGER NOT NULL,
  locked_until INTEGER,
  last_at INTEGER,
  PRIMARY KEY (account, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  stage TEXT NOT NULL CHECK (stage IN ('second-factor-pending', 'password-change-required', 'enrolment-required', 'full')),
  factors INTEGER NOT NULL CHECK (factors BETWEEN 0 AND 255),
  authenticated_at INTEGER NOT NULL,
  stepped_up_at INTEGER NOT NULL,
  second_factor_at INTEGER,
  epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_active_at INTEGER NOT NULL,
  address TEXT CHECK (length(address) <= 64),
  user_agent TEXT CHECK (length(user_agent) <= 1024),
  device_id BLOB CHECK (length(device_id) = 16),
  mac BLOB NOT NULL CHECK (length(mac) = 32),
  attempts INTEGER NOT NULL CHECK (attempts >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);

-- Enrolled apps that make time-based codes.
CREATE TABLE totp (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  algorithm TEXT NOT NULL CHECK (algorithm IN ('SHA1', 'SHA256', 'SHA512')),
  digits INTEGER NOT NULL,
  period_seconds INTEGER NOT NULL,
  -- Encrypted, and bound to this row.
  secret BLOB NOT NULL CHECK (length(secret) <= 1024),
  created_at INTEGER NOT NULL,
  -- Until it is confirmed: when it is too late to do so.
  expires_at INTEGER,
  -- From then on: when that was, and the newest step of which a code was accepted.
  confirmed_at INTEGER,
  last_step INTEGER,
  CHECK ((expires_at IS NULL) = (confirmed_at IS NOT NULL) AND (confirmed_at IS NULL) = (last_step IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX totp_active ON totp (user_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX totp_pending ON totp (user_id) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_sets (
  user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The codes that are left.
CREATE TABLE recovery_codes (
  user_id BLOB NOT NULL REFERENCES recovery_sets (user_id) ON DELETE CASCADE,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

-- Tries at second factors that still count; one row each.
CREATE TABLE factor_attempts (
  user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX factor_attempts_by_user ON factor_attempts (user_id, at);

CREATE TABLE api_keys (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  family_id BLOB NOT NULL CHECK (length(family_id) = 16),
  owner_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) <= 128),
  prefix TEXT NOT NULL CHECK (length(prefix) <= 64),
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  -- Names with blanks between; nothing where the key may do all that its owner may.
  permissions TEXT CHECK (length(permissions) <= 4096),
  administers INTEGER NOT NULL CHECK (administers IN (0, 1)),
  -- Networks with commas between.
  allow_list TEXT NOT NULL CHECK (length(allow_list) <= 8192),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  retiring_until INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  last_used_address TEXT CHECK (length(last_used_address) <= 64),
  last_used_agent TEXT CHECK (length(last_used_agent) <= 1024),
  mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_owner ON api_keys (owner_id, created_at, id);
CREATE INDEX api_keys_by_family ON api_keys (family_id);

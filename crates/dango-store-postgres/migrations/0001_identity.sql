-- Users and everything that belongs to one. Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDv7, 16 bytes;
-- digests and codes are made with keys that are not in here.

CREATE TABLE users (
  id bytea NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  email text COLLATE "C" NOT NULL CHECK (char_length(email) <= 1024),
  email_canonical text COLLATE "C" NOT NULL CHECK (char_length(email_canonical) <= 4096),
  -- What two addresses share that a person cannot tell apart.
  email_likeness text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(email_likeness) <= 4096),
  role text COLLATE "C" NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
  active boolean NOT NULL,
  -- While no invitation was accepted: when the last one expires or expired.
  invite_expires_at bigint,
  must_change_password boolean NOT NULL,
  epoch bigint NOT NULL CHECK (epoch >= 0),
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  last_login_at bigint
);

CREATE INDEX users_by_creation ON users (created_at, id);

-- The administrators of whom one must always be left, those who were invited among them.
CREATE INDEX users_who_administer ON users (id) WHERE role = 'admin' AND active;

CREATE TABLE passwords (
  user_id bytea NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  -- A PHC string of Argon2id, or a bcrypt string of an earlier version.
  record text COLLATE "C" NOT NULL CHECK (char_length(record) <= 1024),
  set_at bigint NOT NULL,
  -- Only for a temporary one: when it is void, and whether somebody has logged in with it.
  expires_at bigint,
  used boolean,
  CHECK ((expires_at IS NULL) = (used IS NULL))
);

CREATE TABLE invites (
  digest bytea NOT NULL PRIMARY KEY CHECK (octet_length(digest) = 32),
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  user_id bytea NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  expires_at bigint NOT NULL
);

-- The first administrator's claim; there is one at most.
CREATE TABLE bootstrap_claim (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  expires_at bigint NOT NULL
);

-- Identities at other providers that open an account.
CREATE TABLE links (
  issuer text COLLATE "C" NOT NULL CHECK (char_length(issuer) <= 255),
  subject text COLLATE "C" NOT NULL CHECK (char_length(subject) <= 255),
  user_id bytea NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  linked_at bigint NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (user_id, issuer)
);

-- Budgets of tries, of accounts that exist and of those that do not.
CREATE TABLE attempts (
  account bytea NOT NULL CHECK (octet_length(account) = 32),
  -- A browser that has logged in to the account before; empty for all others.
  device_id bytea NOT NULL CHECK (octet_length(device_id) IN (0, 16)),
  failures bigint NOT NULL,
  total bigint NOT NULL,
  level bigint NOT NULL,
  "window" bigint NOT NULL,
  locked_until bigint,
  last_at bigint,
  PRIMARY KEY (account, device_id)
);

CREATE TABLE sessions (
  digest bytea NOT NULL PRIMARY KEY CHECK (octet_length(digest) = 32),
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  user_id bytea NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  stage text COLLATE "C" NOT NULL CHECK (stage IN ('second-factor-pending', 'password-change-required', 'enrolment-required', 'full')),
  factors bigint NOT NULL CHECK (factors BETWEEN 0 AND 255),
  authenticated_at bigint NOT NULL,
  stepped_up_at bigint NOT NULL,
  second_factor_at bigint,
  epoch bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  last_active_at bigint NOT NULL,
  address text COLLATE "C" CHECK (char_length(address) <= 64),
  user_agent text COLLATE "C" CHECK (char_length(user_agent) <= 1024),
  device_id bytea CHECK (octet_length(device_id) = 16),
  mac bytea NOT NULL CHECK (octet_length(mac) = 32),
  attempts bigint NOT NULL CHECK (attempts >= 0)
);

CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);

-- Enrolled apps that make time-based codes.
CREATE TABLE totp (
  id bytea NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  user_id bytea NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('SHA1', 'SHA256', 'SHA512')),
  digits bigint NOT NULL,
  period_seconds bigint NOT NULL,
  -- Encrypted, and bound to this row.
  secret bytea NOT NULL CHECK (octet_length(secret) <= 1024),
  created_at bigint NOT NULL,
  -- Until it is confirmed: when it is too late to do so.
  expires_at bigint,
  -- From then on: when that was, and the newest step of which a code was accepted.
  confirmed_at bigint,
  last_step bigint,
  CHECK ((expires_at IS NULL) = (confirmed_at IS NOT NULL) AND (confirmed_at IS NULL) = (last_step IS NULL))
);

-- For what goes with its user: an index with a condition finds only some.
CREATE INDEX totp_by_user ON totp (user_id);
CREATE UNIQUE INDEX totp_active ON totp (user_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX totp_pending ON totp (user_id) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_sets (
  user_id bytea NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  created_at bigint NOT NULL
);

-- The codes that are left.
CREATE TABLE recovery_codes (
  user_id bytea NOT NULL REFERENCES recovery_sets (user_id) ON DELETE CASCADE,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (user_id, digest)
);

-- Tries at second factors that still count; one row each.
CREATE TABLE factor_attempts (
  user_id bytea NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  at bigint NOT NULL
);

CREATE INDEX factor_attempts_by_user ON factor_attempts (user_id, at);

CREATE TABLE api_keys (
  id bytea NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  family_id bytea NOT NULL CHECK (octet_length(family_id) = 16),
  owner_id bytea NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL CHECK (char_length(name) <= 128),
  prefix text COLLATE "C" NOT NULL CHECK (char_length(prefix) <= 64),
  digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
  -- Names with blanks between; nothing where the key may do all that its owner may.
  permissions text COLLATE "C" CHECK (char_length(permissions) <= 4096),
  administers boolean NOT NULL,
  -- Networks with commas between.
  allow_list text COLLATE "C" NOT NULL CHECK (char_length(allow_list) <= 8192),
  created_at bigint NOT NULL,
  expires_at bigint,
  retiring_until bigint,
  revoked_at bigint,
  last_used_at bigint,
  last_used_address text COLLATE "C" CHECK (char_length(last_used_address) <= 64),
  last_used_agent text COLLATE "C" CHECK (char_length(last_used_agent) <= 1024),
  mac bytea NOT NULL CHECK (octet_length(mac) = 32)
);

CREATE INDEX api_keys_by_owner ON api_keys (owner_id, created_at, id);
CREATE INDEX api_keys_by_family ON api_keys (family_id);

-- Whose turn it is to write: every transaction that writes locks this row before anything else, whichever server it comes from.
CREATE TABLE turn (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1)
);

INSERT INTO turn (one) VALUES (1);

-- Who writes, and its last turn that counts: by it, a server whose commit was not answered knows what became of it.
CREATE TABLE writers (
  id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (octet_length(id) = 36),
  turn bigint NOT NULL,
  at bigint NOT NULL
);

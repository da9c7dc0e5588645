-- What the project has decided about itself; there is one row at most, and without one every setting has its default.

CREATE TABLE settings (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  -- Whether anybody is let in.
  admission text COLLATE "C" NOT NULL CHECK (admission IN ('open', 'closed')),
  updated_at bigint NOT NULL
);

-- The files of projects that all servers share, sealed whole under a key that is not here. No row is ever deleted.
CREATE TABLE project_files (
  project text COLLATE "C" NOT NULL CHECK (octet_length(project) BETWEEN 1 AND 64),
  name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
  -- It grows by one with each change; the text is bound to it.
  revision bigint NOT NULL CHECK (revision > 0),
  key_id text COLLATE "C" NOT NULL CHECK (octet_length(key_id) = 16),
  sealed bytea NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (project, name)
);

-- Who changes a file, or does something else that one does at a time, and until when nobody else does. Times are the database's.
CREATE TABLE project_claims (
  project text COLLATE "C" NOT NULL CHECK (octet_length(project) BETWEEN 1 AND 64),
  name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128),
  holder bytea NOT NULL CHECK (octet_length(holder) = 16),
  until bigint NOT NULL,
  PRIMARY KEY (project, name)
);

-- What is asked at each request: whose a token is, and how they stand; one row, whatever is there. A function keeps its plan for as long as
-- the connection to the database lasts, which takes a third of the time, and behind a pooler, too. Its plan may be older than the rows, so
-- it is made as if there were many.
CREATE FUNCTION session_at_the_door(token bytea, account bytea) RETURNS TABLE (
  has_totp boolean, issuer text, admission text, budget_account bytea, budget_device_id bytea, failures bigint, total bigint,
  level bigint, budget_window bigint, locked_until bigint, last_at bigint, owner bytea, email text, email_canonical text,
  email_likeness text, role text, active boolean, invite_expires_at bigint, must_change_password boolean, epoch bigint,
  created_at bigint, updated_at bigint, last_login_at bigint, token_id bytea, token_digest bytea, token_user_id bytea,
  token_created_at bigint, owner_epoch bigint, stage text, factors bigint, authenticated_at bigint, stepped_up_at bigint,
  second_factor_at bigint, token_epoch bigint, expires_at bigint, last_active_at bigint, address text, user_agent text, device_id bytea,
  mac bytea
) LANGUAGE plpgsql STABLE ROWS 1 SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT
    EXISTS (SELECT 1 FROM dango.totp WHERE totp.user_id = users.id AND totp.confirmed_at IS NOT NULL),
    (SELECT links.issuer FROM dango.links WHERE links.user_id = users.id ORDER BY links.linked_at, links.issuer LIMIT 1),
    (SELECT settings.admission FROM dango.settings WHERE settings.one = 1),
    attempts.account, attempts.device_id, attempts.failures, attempts.total, attempts.level, attempts."window", attempts.locked_until,
    attempts.last_at,
    users.id, users.email, users.email_canonical, users.email_likeness, users.role, users.active, users.invite_expires_at,
    users.must_change_password, users.epoch, users.created_at, users.updated_at, users.last_login_at,
    held.id, held.digest, held.user_id, held.created_at, users.epoch, held.stage, held.factors, held.authenticated_at, held.stepped_up_at,
    held.second_factor_at, held.epoch, held.expires_at, held.last_active_at, held.address, held.user_agent, held.device_id, held.mac
    FROM (VALUES (1)) AS door (one)
    LEFT JOIN dango.sessions AS held ON held.digest = session_at_the_door.token
    LEFT JOIN dango.users ON users.id = held.user_id
    LEFT JOIN dango.attempts ON attempts.account = session_at_the_door.account AND attempts.device_id = ''::bytea;
END
$$;

CREATE FUNCTION api_key_at_the_door(token bytea, account bytea) RETURNS TABLE (
  has_totp boolean, issuer text, admission text, budget_account bytea, budget_device_id bytea, failures bigint, total bigint,
  level bigint, budget_window bigint, locked_until bigint, last_at bigint, owner bytea, email text, email_canonical text,
  email_likeness text, role text, active boolean, invite_expires_at bigint, must_change_password boolean, epoch bigint,
  created_at bigint, updated_at bigint, last_login_at bigint, token_id bytea, family_id bytea, owner_id bytea, name text, prefix text,
  token_digest bytea, token_created_at bigint, revoked_at bigint, permissions text, administers boolean, allow_list text,
  expires_at bigint, retiring_until bigint, last_used_at bigint, last_used_address text, last_used_agent text, mac bytea
) LANGUAGE plpgsql STABLE ROWS 1 SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT
    EXISTS (SELECT 1 FROM dango.totp WHERE totp.user_id = users.id AND totp.confirmed_at IS NOT NULL),
    (SELECT links.issuer FROM dango.links WHERE links.user_id = users.id ORDER BY links.linked_at, links.issuer LIMIT 1),
    (SELECT settings.admission FROM dango.settings WHERE settings.one = 1),
    attempts.account, attempts.device_id, attempts.failures, attempts.total, attempts.level, attempts."window", attempts.locked_until,
    attempts.last_at,
    users.id, users.email, users.email_canonical, users.email_likeness, users.role, users.active, users.invite_expires_at,
    users.must_change_password, users.epoch, users.created_at, users.updated_at, users.last_login_at,
    held.id, held.family_id, held.owner_id, held.name, held.prefix, held.digest, held.created_at, held.revoked_at, held.permissions,
    held.administers, held.allow_list, held.expires_at, held.retiring_until, held.last_used_at, held.last_used_address,
    held.last_used_agent, held.mac
    FROM (VALUES (1)) AS door (one)
    LEFT JOIN dango.api_keys AS held ON held.digest = api_key_at_the_door.token
    LEFT JOIN dango.users ON users.id = held.owner_id
    LEFT JOIN dango.attempts ON attempts.account = api_key_at_the_door.account AND attempts.device_id = ''::bytea;
END
$$;
-- The move of another database into this one: by what it is told from others, and how far it is. Until it is settled nobody is served.
CREATE TABLE arrival (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  token bytea NOT NULL CHECK (octet_length(token) = 16),
  -- It grows by one with each transaction of the move.
  step bigint NOT NULL,
  -- How many tables are copied whole, in their order.
  copied bigint NOT NULL,
  -- The newest note of the other database that is followed here.
  noted bigint NOT NULL,
  -- Whether what is here counts. The row stays, so that whoever comes with the mark of the other database finds its own move here.
  settled boolean NOT NULL
);

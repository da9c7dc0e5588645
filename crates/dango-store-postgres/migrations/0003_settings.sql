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

-- While another database is being moved into this one: by what that move is told from others, and how far it is. Nobody is served meanwhile.
CREATE TABLE arrival (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  token bytea NOT NULL CHECK (octet_length(token) = 16),
  -- It grows by one with each transaction of the move.
  step bigint NOT NULL,
  -- How many tables are copied whole, in their order.
  copied bigint NOT NULL,
  -- The newest note of the other database that is followed here.
  noted bigint NOT NULL
);

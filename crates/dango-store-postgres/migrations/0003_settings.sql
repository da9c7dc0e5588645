-- What the project has decided about itself; there is one row at most, and without one every setting has its default.

CREATE TABLE settings (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  -- Whether anybody is let in.
  admission text COLLATE "C" NOT NULL CHECK (admission IN ('open', 'closed')),
  updated_at bigint NOT NULL
);

-- Work that one server does for all: who does it, and until when nobody else does. Times are the database's.
CREATE TABLE leases (
  name text COLLATE "C" NOT NULL PRIMARY KEY CHECK (char_length(name) <= 64),
  holder bytea NOT NULL CHECK (octet_length(holder) = 16),
  -- A number that grows with each holder, so that one who was overtaken is told apart.
  term bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

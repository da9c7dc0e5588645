-- What the project has decided about itself; there is one row at most, and without one every setting has its default.

CREATE TABLE settings (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  -- Whether anybody is let in.
  admission text COLLATE "C" NOT NULL CHECK (admission IN ('open', 'closed')),
  updated_at bigint NOT NULL
);

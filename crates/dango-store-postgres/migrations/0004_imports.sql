-- What was taken over from an earlier Dango, so that it is not taken twice: a hash of a user's id there, of a line of the log.

CREATE TABLE imports (
  mark bytea NOT NULL PRIMARY KEY CHECK (octet_length(mark) = 32),
  imported_at bigint NOT NULL
);

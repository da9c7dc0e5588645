-- OAuth flows that wait for their answer. A row lives ten minutes at most and is given out once, so it names users and
-- sessions without belonging to them: what has ended in the meantime finishes nothing.

CREATE TABLE oauth_flows (
  -- The order in which they began.
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- A keyed digest of the parameter `state`.
  state bytea NOT NULL UNIQUE CHECK (octet_length(state) = 32),
  -- Who began it: a session, or a browser in which nobody is logged in.
  user_id bytea CHECK (octet_length(user_id) = 16),
  session_id bytea CHECK (octet_length(session_id) = 16),
  browser bytea CHECK (octet_length(browser) = 32),
  -- The rest, encrypted.
  sealed bytea NOT NULL CHECK (octet_length(sealed) <= 65536),
  expires_at bigint NOT NULL,
  CHECK ((user_id IS NULL) = (session_id IS NULL) AND (user_id IS NULL) <> (browser IS NULL))
);

CREATE INDEX oauth_flows_by_session ON oauth_flows (session_id, number) WHERE session_id IS NOT NULL;
CREATE INDEX oauth_flows_by_browser ON oauth_flows (browser, number) WHERE browser IS NOT NULL;
CREATE INDEX oauth_flows_by_end ON oauth_flows (expires_at);

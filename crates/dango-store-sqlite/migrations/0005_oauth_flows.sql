-- OAuth flows that wait for their answer. A row lives ten minutes at most and is given out once, so it names users and
-- sessions without belonging to them: what has ended in the meantime finishes nothing.

CREATE TABLE oauth_flows (
  -- The order in which they began.
  number INTEGER NOT NULL PRIMARY KEY,
  -- A keyed digest of the parameter `state`.
  state BLOB NOT NULL UNIQUE CHECK (length(state) = 32),
  -- Who began it: a session, or a browser in which nobody is logged in.
  user_id BLOB CHECK (length(user_id) = 16),
  session_id BLOB CHECK (length(session_id) = 16),
  browser BLOB CHECK (length(browser) = 32),
  -- The rest, encrypted.
  sealed BLOB NOT NULL CHECK (length(sealed) <= 65536),
  expires_at INTEGER NOT NULL,
  CHECK ((user_id IS NULL) = (session_id IS NULL) AND (user_id IS NULL) <> (browser IS NULL))
) STRICT;

CREATE INDEX oauth_flows_by_session ON oauth_flows (session_id, number) WHERE session_id IS NOT NULL;
CREATE INDEX oauth_flows_by_browser ON oauth_flows (browser, number) WHERE browser IS NOT NULL;
CREATE INDEX oauth_flows_by_end ON oauth_flows (expires_at);

-- The audit log: rows are added and never changed. What a record's text says is authenticated byte for byte, so nothing here
-- may be normalised: text stays text, and is read as JSON only to find it. The columns are named as the members of a record.
--
-- The role that serves may add and read. What a rule lets go of is let go of by functions that belong to the owner.

-- A member of a text that should be a JSON object; nothing where it is none, so that a record that somebody changed is still a row.
-- What may fail is tried in a transaction within the transaction, which parallel workers may not begin.
CREATE FUNCTION json_member(object text, member text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE AS $$
BEGIN
  RETURN left(object::json ->> member, 256);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;

CREATE TABLE audit (
  seq bigint NOT NULL PRIMARY KEY,
  at bigint NOT NULL,
  event text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  target text COLLATE "C",
  outcome text COLLATE "C",
  origin text COLLATE "C" NOT NULL,
  request_id text COLLATE "C",
  details text COLLATE "C" NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL
);

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_event ON audit (event, seq);
-- The place beside it: a page is read out of the index in order, and ends where it is full.
CREATE INDEX audit_by_actor ON audit (dango.json_member(actor, 'id'), seq);
CREATE INDEX audit_by_actor_personal ON audit (dango.json_member(actor, 'personal'), seq);

-- Records whose time is ten seconds or more before that of an earlier one: somebody had put a clock back. By all others a span of time is
-- found as a span of places, without reading what is in between.
CREATE TABLE audit_set_back (
  seq bigint NOT NULL PRIMARY KEY,
  at bigint NOT NULL
);

CREATE INDEX audit_set_back_by_time ON audit_set_back (at, seq);

-- Where the log ends; elsewhere than the records, so that a tail that was cut off is missed.
CREATE TABLE audit_head (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  count bigint NOT NULL,
  frontier bytea NOT NULL,
  tag bytea NOT NULL
);

-- What stands for records that were pruned.
CREATE TABLE audit_segments (
  last_seq bigint NOT NULL PRIMARY KEY,
  first_seq bigint NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  hash bytea NOT NULL,
  frontier bytea NOT NULL,
  tag bytea NOT NULL
);

-- What can be erased: records refer to it by its salted hash.
CREATE TABLE audit_personal (
  id bytea NOT NULL PRIMARY KEY,
  lookup bytea NOT NULL UNIQUE,
  subject text COLLATE "C" NOT NULL,
  label text COLLATE "C",
  ip text COLLATE "C",
  user_agent text COLLATE "C",
  salt bytea NOT NULL
);

CREATE INDEX audit_personal_by_subject ON audit_personal (subject);
CREATE INDEX audit_personal_by_label ON audit_personal (lower(label));

-- Chains whose key was lost, put away where people can read them.
CREATE TABLE audit_retired (
  chain bigint NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  event text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  target text COLLATE "C",
  outcome text COLLATE "C",
  origin text COLLATE "C" NOT NULL,
  request_id text COLLATE "C",
  details text COLLATE "C" NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (chain, seq)
);

CREATE TABLE audit_retired_heads (
  chain bigint NOT NULL PRIMARY KEY,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  count bigint NOT NULL,
  frontier bytea NOT NULL,
  tag bytea NOT NULL
);

CREATE TABLE audit_retired_segments (
  chain bigint NOT NULL,
  last_seq bigint NOT NULL,
  first_seq bigint NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  hash bytea NOT NULL,
  frontier bytea NOT NULL,
  tag bytea NOT NULL,
  PRIMARY KEY (chain, last_seq)
);

-- What the owner has decided about the log.
CREATE TABLE audit_rules (
  one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  -- How old a record is at least before it may be pruned, in microseconds.
  least_age bigint NOT NULL CHECK (least_age >= 0)
);

-- A day.
INSERT INTO audit_rules (one, least_age) VALUES (1, 86400000000);

-- What is refused to everybody, the owner included, by name of the rule.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END
$$;

CREATE FUNCTION audit_is_appended() RETURNS trigger LANGUAGE plpgsql SET search_path = dango, pg_temp AS $$
BEGIN
  IF new.seq IS DISTINCT FROM 1 + greatest(
    coalesce((SELECT max(seq) FROM audit), 0),
    coalesce((SELECT max(last_seq) FROM audit_segments), 0)) THEN
    RAISE EXCEPTION 'audit records are only appended' USING ERRCODE = 'check_violation';
  END IF;
  IF new.at <= (SELECT max(at) FROM audit) - 10000000 THEN
    INSERT INTO audit_set_back (seq, at) VALUES (new.seq, new.at);
  END IF;
  RETURN new;
END
$$;

-- A record goes only where a segment stands for it, or where it was put away.
CREATE FUNCTION audit_is_not_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path = dango, pg_temp AS $$
BEGIN
  IF old.seq > coalesce((SELECT max(last_seq) FROM audit_segments), 0)
    AND NOT EXISTS (
      SELECT 1 FROM audit_retired
      WHERE chain = (SELECT max(chain) FROM audit_retired) AND seq = old.seq AND hash = old.hash) THEN
    RAISE EXCEPTION 'audit records are never deleted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN old;
END
$$;

CREATE FUNCTION audit_head_is_not_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path = dango, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM audit_retired_heads
    WHERE chain = (SELECT max(chain) FROM audit_retired_heads) AND tag = old.tag) THEN
    RAISE EXCEPTION 'the head of the audit log is never deleted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN old;
END
$$;

CREATE FUNCTION audit_segments_are_appended() RETURNS trigger LANGUAGE plpgsql SET search_path = dango, pg_temp AS $$
BEGIN
  IF new.last_seq <= coalesce((SELECT max(last_seq) FROM audit_segments), 0) THEN
    RAISE EXCEPTION 'audit segments are only appended' USING ERRCODE = 'check_violation';
  END IF;
  RETURN new;
END
$$;

CREATE FUNCTION audit_segments_are_not_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path = dango, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM audit_retired_segments
    WHERE chain = (SELECT max(chain) FROM audit_retired_segments) AND last_seq = old.last_seq AND tag = old.tag) THEN
    RAISE EXCEPTION 'audit segments are never deleted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN old;
END
$$;

CREATE TRIGGER audit_is_appended BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_appended();
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('audit records are never changed');
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_not_deleted();
CREATE TRIGGER audit_head_is_not_deleted BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_is_not_deleted();
CREATE TRIGGER audit_segments_are_appended BEFORE INSERT ON audit_segments FOR EACH ROW EXECUTE FUNCTION audit_segments_are_appended();
CREATE TRIGGER audit_segments_are_not_changed BEFORE UPDATE ON audit_segments
FOR EACH ROW EXECUTE FUNCTION refuse('audit segments are never changed');
CREATE TRIGGER audit_segments_are_not_deleted BEFORE DELETE ON audit_segments
FOR EACH ROW EXECUTE FUNCTION audit_segments_are_not_deleted();
CREATE TRIGGER audit_personal_is_not_changed BEFORE UPDATE ON audit_personal
FOR EACH ROW EXECUTE FUNCTION refuse('personal data in the audit log is erased, never changed');
CREATE TRIGGER audit_retired_is_not_changed BEFORE UPDATE ON audit_retired
FOR EACH ROW EXECUTE FUNCTION refuse('audit records are never changed');
CREATE TRIGGER audit_retired_is_not_deleted BEFORE DELETE ON audit_retired
FOR EACH ROW EXECUTE FUNCTION refuse('audit records are never deleted');

CREATE TRIGGER audit_retired_heads_are_not_changed BEFORE UPDATE ON audit_retired_heads
FOR EACH ROW EXECUTE FUNCTION refuse('the head of an audit log is never changed');
CREATE TRIGGER audit_retired_heads_are_not_deleted BEFORE DELETE ON audit_retired_heads
FOR EACH ROW EXECUTE FUNCTION refuse('the head of an audit log is never deleted');
CREATE TRIGGER audit_retired_segments_are_not_changed BEFORE UPDATE ON audit_retired_segments
FOR EACH ROW EXECUTE FUNCTION refuse('audit segments are never changed');
CREATE TRIGGER audit_retired_segments_are_not_deleted BEFORE DELETE ON audit_retired_segments
FOR EACH ROW EXECUTE FUNCTION refuse('audit segments are never deleted');

-- TRUNCATE passes the triggers of rows by.
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit records are never deleted');
CREATE TRIGGER audit_head_is_not_emptied BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION refuse('the head of the audit log is never deleted');
CREATE TRIGGER audit_segments_are_not_emptied BEFORE TRUNCATE ON audit_segments
FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit segments are never deleted');
CREATE TRIGGER audit_retired_is_not_emptied BEFORE TRUNCATE ON audit_retired
FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit records are never deleted');

CREATE TRIGGER audit_retired_heads_are_not_emptied BEFORE TRUNCATE ON audit_retired_heads
FOR EACH STATEMENT EXECUTE FUNCTION refuse('the head of an audit log is never deleted');
CREATE TRIGGER audit_retired_segments_are_not_emptied BEFORE TRUNCATE ON audit_retired_segments
FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit segments are never deleted');
CREATE TRIGGER audit_personal_is_not_emptied BEFORE TRUNCATE ON audit_personal
FOR EACH STATEMENT EXECUTE FUNCTION refuse('personal data in the audit log is erased by person');

-- Adds a segment: of the records that follow the segment before, all of them there and as it says, and none younger than the owner allows. What
-- it is sealed with only a verification can tell.
CREATE FUNCTION audit_seal(first bigint, last bigint, first_time bigint, last_time bigint, last_hash bytea, tree bytea, seal bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = dango, pg_temp AS $$
DECLARE
  youngest bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - (SELECT least_age FROM audit_rules WHERE one = 1);
BEGIN
  IF first IS DISTINCT FROM 1 + coalesce((SELECT max(last_seq) FROM audit_segments), 0)
    OR NOT EXISTS (SELECT 1 FROM audit WHERE seq = first AND at = first_time)
    OR NOT EXISTS (SELECT 1 FROM audit WHERE seq = last AND seq >= first AND at = last_time AND hash = last_hash) THEN
    RAISE EXCEPTION 'an audit segment stands for records that are there' USING ERRCODE = 'check_violation';
  END IF;
  -- By all of them, not by the last alone: a clock may have been put back.
  IF youngest IS NULL OR EXISTS (SELECT 1 FROM audit WHERE at > youngest AND seq <= last) THEN
    RAISE EXCEPTION 'audit records that are so young are not pruned' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO audit_segments (first_seq, last_seq, first_at, last_at, hash, frontier, tag)
    VALUES (first, last, first_time, last_time, last_hash, tree, seal);
END
$$;

-- Lets go of the oldest records for which a segment stands, so many at most; answers how many went.
CREATE FUNCTION audit_prune(up_to bigint, at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = dango, pg_temp AS $$
DECLARE
  gone bigint;
BEGIN
  DELETE FROM audit WHERE seq IN (
    SELECT seq FROM audit
    WHERE seq <= up_to AND seq <= (SELECT max(last_seq) FROM audit_segments)
    ORDER BY seq LIMIT at_most);
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM audit_set_back WHERE seq < coalesce((SELECT min(seq) FROM audit), 9223372036854775807);
  RETURN gone;
END
$$;

-- Puts the chain away, whole, so that a new one can begin; answers how many records it had.
CREATE FUNCTION audit_retire() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = dango, pg_temp AS $$
DECLARE
  next bigint := 1 + greatest(
    coalesce((SELECT max(chain) FROM audit_retired), 0),
    coalesce((SELECT max(chain) FROM audit_retired_heads), 0),
    coalesce((SELECT max(chain) FROM audit_retired_segments), 0));
  retired bigint;
BEGIN
  INSERT INTO audit_retired_segments (chain, last_seq, first_seq, first_at, last_at, hash, frontier, tag)
    SELECT next, last_seq, first_seq, first_at, last_at, hash, frontier, tag FROM audit_segments;
  INSERT INTO audit_retired_heads (chain, seq, hash, count, frontier, tag)
    SELECT next, seq, hash, count, frontier, tag FROM audit_head;
  INSERT INTO audit_retired (chain, seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash)
    SELECT next, seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash FROM audit;
  GET DIAGNOSTICS retired = ROW_COUNT;
  -- Only now may they go: the triggers let go of what was put away.
  DELETE FROM audit;
  DELETE FROM audit_set_back;
  DELETE FROM audit_head;
  DELETE FROM audit_segments;
  RETURN retired;
END
$$;

REVOKE ALL ON FUNCTION audit_seal(bigint, bigint, bigint, bigint, bytea, bytea, bytea), audit_prune(bigint, bigint), audit_retire() FROM PUBLIC;

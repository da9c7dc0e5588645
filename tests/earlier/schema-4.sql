BEGIN TRANSACTION;
CREATE TABLE _migrations (
                version     INTEGER PRIMARY KEY,
                description TEXT NOT NULL,
                applied_at  TEXT NOT NULL
            );
INSERT INTO "_migrations" VALUES(1,'Create initial auth tables','2026-11-22T02:15:29.621697+00:00');
INSERT INTO "_migrations" VALUES(2,'Add deferred auth schema fields','2026-11-22T02:15:29.623247+00:00');
INSERT INTO "_migrations" VALUES(3,'Add encrypted Metabase password column','2026-11-22T02:15:29.624233+00:00');
INSERT INTO "_migrations" VALUES(4,'Add invite token columns','2026-11-22T02:15:29.625515+00:00');
CREATE TABLE api_keys (
            id           TEXT PRIMARY KEY,
            user_id      TEXT NOT NULL,
            name         TEXT NOT NULL,
            key_hash     TEXT NOT NULL UNIQUE,
            is_active    INTEGER NOT NULL DEFAULT 1,
            created_at   TEXT NOT NULL,
            last_used_at TEXT,
            expires_at   TEXT, key_prefix TEXT NOT NULL DEFAULT '',
            FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
INSERT INTO "api_keys" VALUES('key','11111111-0000-4000-8000-000000000001','old','9c8516373bc497a038b167f0cd5d1530bc9f566d95316456483694e0a6b87e0d',1,'2024-02-29T12:34:56.789012+00:00',NULL,NULL,'');
CREATE TABLE sessions (
            id             TEXT PRIMARY KEY,
            user_id        TEXT NOT NULL,
            token_hash     TEXT NOT NULL UNIQUE,
            is_active      INTEGER NOT NULL DEFAULT 1,
            is_partial     INTEGER NOT NULL DEFAULT 0,
            created_at     TEXT NOT NULL,
            expires_at     TEXT NOT NULL,
            last_activity  TEXT NOT NULL, ip_address TEXT, user_agent TEXT,
            FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
CREATE TABLE users (
            id                    TEXT PRIMARY KEY,
            email                 TEXT NOT NULL UNIQUE,
            password_hash         TEXT,
            role                  TEXT NOT NULL DEFAULT 'viewer',
            is_active             INTEGER NOT NULL DEFAULT 1,
            totp_secret           TEXT,
            totp_enabled          INTEGER NOT NULL DEFAULT 0,
            recovery_codes        TEXT,
            oauth_provider        TEXT,
            oauth_id              TEXT,
            failed_login_attempts INTEGER NOT NULL DEFAULT 0,
            locked_until          TEXT,
            created_at            TEXT NOT NULL,
            updated_at            TEXT NOT NULL
        , metabase_user_id INTEGER, must_change_password INTEGER NOT NULL DEFAULT 0, last_login TEXT, metabase_password_enc TEXT, invite_token_hash TEXT, invite_expires_at TEXT);
INSERT INTO "users" VALUES('11111111-0000-4000-8000-000000000001','ada@dango.test','$2b$12$w2OQC6gJLJspk6WPZwfJbO4.KV3FU1BKIDFinIPKt.HcgA7/6n0hW','admin',1,NULL,0,NULL,NULL,NULL,0,NULL,'2024-02-29T12:34:56.789012+00:00','2024-02-29T12:34:56.789012+00:00',NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "users" VALUES('22222222-0000-4000-8000-000000000002','bob@dango.test',NULL,'viewer',1,NULL,0,NULL,NULL,NULL,0,NULL,'2024-02-29T12:34:56.789012+00:00','2024-02-29T12:34:56.789012+00:00',NULL,0,NULL,NULL,NULL,NULL);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_sessions_expires_at ON sessions (expires_at);
CREATE INDEX idx_api_keys_user_id ON api_keys (user_id);
COMMIT;

-- +goose Up
-- Who may sign in, and what proves it. One text for both engines: times are
-- milliseconds since 1970 UTC, hashes and sealed secrets are text.

CREATE TABLE clinics (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- The engines disagree on identity columns and this counter serves both; it
-- also hands out a block of ids in one statement, which seeding needs.
CREATE TABLE user_ids (
    last BIGINT NOT NULL
);
INSERT INTO user_ids (last) VALUES (0);

CREATE TABLE users (
    id              BIGINT PRIMARY KEY,
    clinic_id       TEXT NOT NULL REFERENCES clinics (id),
    email           TEXT NOT NULL UNIQUE, -- lower case
    first_name      TEXT NOT NULL,
    last_name       TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('patient', 'clinician', 'admin')),
    patient_id      TEXT UNIQUE,          -- the record of a patient
    is_active       BOOLEAN NOT NULL DEFAULT TRUE,
    password_hash   TEXT NOT NULL,        -- argon2id, PHC string
    totp_secret     TEXT,                 -- sealed; NULL = not enrolled
    totp_confirmed  BOOLEAN NOT NULL DEFAULT FALSE,
    totp_last_step  BIGINT NOT NULL DEFAULT 0, -- last 30 s step whose code was accepted
    session_version BIGINT NOT NULL DEFAULT 1, -- raised to end every session at once
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX users_clinic ON users (clinic_id, id);

-- A session is a family of refresh tokens, of which one at a time is unused.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version      BIGINT NOT NULL, -- users.session_version it was made for
    ip           TEXT NOT NULL,
    user_agent   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash       TEXT PRIMARY KEY, -- SHA-256
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- A password was right and the second factor is due.
CREATE TABLE challenges (
    id         TEXT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX challenges_user ON challenges (user_id);
CREATE INDEX challenges_expiry ON challenges (expires_at);

CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL, -- SHA-256; codes have 128 bits
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

-- One row per user: the newest token is the only one by construction, and the
-- three times are an exact sliding log of what was sent.
CREATE TABLE reset_tokens (
    user_id    BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT UNIQUE, -- SHA-256; NULL = spent
    version    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sent_1     BIGINT NOT NULL DEFAULT 0, -- newest
    sent_2     BIGINT NOT NULL DEFAULT 0,
    sent_3     BIGINT NOT NULL DEFAULT 0
);

-- Addresses an account signed in from; account is an HMAC of the email.
CREATE TABLE known_ips (
    account TEXT NOT NULL,
    ip      TEXT NOT NULL, -- prefix
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account, ip)
);
CREATE INDEX known_ips_seen ON known_ips (seen_at);

-- Work that must not be done while the client waits and counts the time.
CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL, -- sealed
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);

-- +goose Down
DROP TABLE outbox;
DROP TABLE known_ips;
DROP TABLE reset_tokens;
DROP TABLE recovery_codes;
DROP TABLE challenges;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE user_ids;
DROP TABLE clinics;

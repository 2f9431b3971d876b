-- +goose Up

-- Locks of the limiter, mirrored where no restart of Redis can lose
-- them. Written when a lock starts or is lifted, which is rare.
CREATE TABLE limit_locks (
    policy   TEXT NOT NULL,
    lock_key TEXT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (policy, lock_key)
);
CREATE INDEX limit_locks_until ON limit_locks (until_ms);

-- +goose Down
DROP TABLE limit_locks;

-- +goose Up

-- The clinic's records. clinic_id and patient_id stand on every row, so that
-- ownership is one condition on the row itself and no
-- list needs a join to find out whose it is. One text for both engines: ids are
-- TEXT (UUIDv7), times BIGINT milliseconds UTC, dates TEXT YYYY-MM-DD.
--
-- Lists have one index each: clinic, patient, then their order. A second one over
-- the whole clinic by time would cost a new medication a page for each of its 60
-- reminders, and tempt a planner without statistics to read the whole clinic for
-- one patient. So the lists of staff go by patient.

CREATE TABLE patients (
    id         TEXT PRIMARY KEY,
    clinic_id  TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    sex        TEXT,
    phone      TEXT,
    email      TEXT,
    allergies  TEXT,
    notes      TEXT,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX patients_by_name ON patients (clinic_id, last_name, first_name, id) WHERE deleted_at IS NULL;

CREATE TABLE medications (
    id                  TEXT PRIMARY KEY,
    clinic_id           TEXT NOT NULL,
    patient_id          TEXT NOT NULL REFERENCES patients (id),
    name                TEXT NOT NULL,
    dosage              TEXT NOT NULL,
    form                TEXT NOT NULL,
    instructions        TEXT,
    frequency_type      TEXT NOT NULL,
    frequency_value     BIGINT,
    reminder_times      TEXT NOT NULL, -- HH:MM, joined by commas
    timezone            TEXT NOT NULL,
    start_date          TEXT NOT NULL,
    end_date            TEXT,
    ends_at             BIGINT,        -- the first instant after end_date in timezone
    current_stock       BIGINT NOT NULL CHECK (current_stock >= 0),
    low_stock_threshold BIGINT NOT NULL CHECK (low_stock_threshold >= 0),
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    deleted_at          BIGINT
);
CREATE INDEX medications_by_patient ON medications (clinic_id, patient_id, id) WHERE deleted_at IS NULL;

CREATE TABLE reminders (
    id             TEXT PRIMARY KEY,
    clinic_id      TEXT NOT NULL,
    patient_id     TEXT NOT NULL,
    medication_id  TEXT NOT NULL REFERENCES medications (id),
    scheduled_time BIGINT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('pending', 'taken', 'skipped', 'missed')),
    taken_at       BIGINT,
    notes          TEXT,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (medication_id, scheduled_time) -- makes generating again harmless
);
CREATE INDEX reminders_by_patient ON reminders (clinic_id, patient_id, scheduled_time);

CREATE TABLE intake_logs (
    id              TEXT PRIMARY KEY,
    clinic_id       TEXT NOT NULL,
    patient_id      TEXT NOT NULL,
    medication_id   TEXT NOT NULL REFERENCES medications (id),
    reminder_id     TEXT UNIQUE REFERENCES reminders (id), -- one log for one reminder, ever
    action          TEXT NOT NULL CHECK (action IN ('taken', 'skipped', 'missed')),
    source          TEXT NOT NULL,
    taken_at        BIGINT NOT NULL,
    medication_name TEXT NOT NULL, -- name and dosage as they were then
    dosage          TEXT NOT NULL,
    dosage_taken    TEXT,
    notes           TEXT,
    side_effects    TEXT,
    stock_used      BIGINT NOT NULL, -- what this log took from the stock, and a void gives back
    recorded_by     BIGINT NOT NULL, -- users.id
    created_at      BIGINT NOT NULL,
    voided_at       BIGINT,
    void_reason     TEXT
);
CREATE INDEX intake_logs_by_patient ON intake_logs (clinic_id, patient_id, taken_at);
CREATE INDEX intake_logs_by_medication ON intake_logs (medication_id, taken_at);

-- Every change of stock by hand, so that a count can be explained later.
CREATE TABLE stock_changes (
    id            TEXT PRIMARY KEY,
    clinic_id     TEXT NOT NULL,
    medication_id TEXT NOT NULL REFERENCES medications (id),
    delta         BIGINT NOT NULL,
    note          TEXT,
    changed_by    BIGINT NOT NULL, -- users.id
    created_at    BIGINT NOT NULL
);
CREATE INDEX stock_changes_by_medication ON stock_changes (medication_id, created_at);

-- +goose Down
DROP TABLE stock_changes;
DROP TABLE intake_logs;
DROP TABLE reminders;
DROP TABLE medications;
DROP TABLE patients;

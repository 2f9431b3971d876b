-- +goose Up

-- Times that a client chose are from 1900 to 2199 (a day of slack for time zones
-- at both ends). Before this, a time in year -1 was stored and could never be sent
-- again: RFC 3339 has no such year. A log with such a time is voided, not lost.
UPDATE intake_logs SET voided_at = COALESCE(voided_at, created_at), taken_at = created_at,
    void_reason = COALESCE(void_reason, 'Voided by an upgrade: its time was outside 1900 to 2199.')
    WHERE taken_at NOT BETWEEN -2209075200000 AND 7258204800000;
UPDATE reminders SET taken_at = updated_at WHERE taken_at NOT BETWEEN -2209075200000 AND 7258204800000;

ALTER TABLE intake_logs ADD CONSTRAINT intake_logs_taken_at CHECK (taken_at BETWEEN -2209075200000 AND 7258204800000);
ALTER TABLE reminders ADD CONSTRAINT reminders_taken_at CHECK (taken_at BETWEEN -2209075200000 AND 7258204800000);
ALTER TABLE reminders ADD CONSTRAINT reminders_scheduled_time CHECK (scheduled_time BETWEEN -2209075200000 AND 7258204800000);

-- +goose Down
ALTER TABLE intake_logs DROP CONSTRAINT intake_logs_taken_at;
ALTER TABLE reminders DROP CONSTRAINT reminders_taken_at;
ALTER TABLE reminders DROP CONSTRAINT reminders_scheduled_time;

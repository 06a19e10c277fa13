-- Why requests need a person, by cause. What was open before is looked at anew by the coordinator.

-- +goose Up
ALTER TABLE request ADD COLUMN needs TEXT NOT NULL DEFAULT ''; -- causes, comma between
UPDATE request SET needs = 'unknown' WHERE status NOT IN ('completed', 'cancelled', 'refused', 'merged');
-- Most requests need nobody: only the others are in the index.
CREATE INDEX request_needs ON request (coalesce(due_at, 9223372036854775807), id, needs, overdue) WHERE needs <> '';

-- +goose Down
DROP INDEX request_needs;
ALTER TABLE request DROP COLUMN needs;

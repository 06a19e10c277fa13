-- Lists of open requests under one law, by due date. Few requests are open, and
-- only they are in the index.

-- +goose Up
CREATE INDEX request_open_law ON request (jurisdiction, status, coalesce(due_at, 'infinity'::timestamptz), id)
    WHERE status NOT IN ('completed', 'cancelled', 'refused', 'merged');

-- +goose Down
DROP INDEX request_open_law;

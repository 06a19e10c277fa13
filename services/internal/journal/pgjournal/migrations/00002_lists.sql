-- What the console's lists ask for.

-- +goose Up

-- Open requests by due date. Status and due date change a few times in a
-- request's life, not with every append.
CREATE INDEX request_due ON request (status, coalesce(due_at, 'infinity'::timestamptz), id);
CREATE INDEX request_jurisdiction ON request (jurisdiction, received_at DESC, id);

-- +goose Down
DROP INDEX request_due;
DROP INDEX request_jurisdiction;

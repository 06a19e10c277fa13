-- Who has which request in hand, and what services remember beside the facts.

-- +goose Up

-- Most requests are nobody's: only the others are in the index.
ALTER TABLE request ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
CREATE INDEX request_assignee ON request (assignee, status, coalesce(due_at, 9223372036854775807), id) WHERE assignee <> '';

CREATE TABLE note (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    data    BLOB NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE note;
DROP INDEX request_assignee;
ALTER TABLE request DROP COLUMN assignee;

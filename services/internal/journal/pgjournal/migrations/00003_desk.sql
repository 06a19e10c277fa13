-- Who has which request in hand, and what services remember beside the facts.

-- +goose Up

-- Most requests are nobody's: only the others are in the index.
ALTER TABLE request ADD COLUMN assignee text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX request_assignee ON request (assignee, status, coalesce(due_at, 'infinity'::timestamptz), id) WHERE assignee <> '';

CREATE TABLE note (
    name    text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    data    bytea  NOT NULL
);

-- +goose Down
DROP TABLE note;
DROP INDEX request_assignee;
ALTER TABLE request DROP COLUMN assignee;

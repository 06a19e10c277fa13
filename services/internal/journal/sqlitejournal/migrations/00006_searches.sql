-- Who searched for whom: a keyed hash of what was searched for.

-- +goose Up
CREATE TABLE search (
    num   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    by    TEXT    NOT NULL,
    hash  TEXT    NOT NULL,
    found INTEGER NOT NULL
) STRICT;
CREATE INDEX search_by ON search (by, at);

-- +goose Down
DROP TABLE search;

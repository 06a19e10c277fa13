-- The list of the heads of all requests, whose end is signed and mirrored.

-- +goose Up
CREATE TABLE heads (
    place INTEGER PRIMARY KEY,
    heads BLOB NOT NULL,
    chain BLOB NOT NULL
) STRICT;

-- The list's end: one row.
CREATE TABLE heads_end (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    size  INTEGER NOT NULL,
    chain BLOB    NOT NULL
) STRICT;
INSERT INTO heads_end VALUES (1, 0, x'');

-- The requests that have changed since they were listed; all, at first.
CREATE TABLE unlisted (
    request INTEGER PRIMARY KEY
) STRICT;
INSERT INTO unlisted SELECT num FROM request;

-- By a trigger, so that whoever appends has the request listed. OR IGNORE isn't heeded where
-- the statement that sets it off has an OR of its own.
-- +goose StatementBegin
CREATE TRIGGER fact_unlisted AFTER INSERT ON fact BEGIN
    INSERT INTO unlisted SELECT NEW.request WHERE NOT EXISTS (SELECT 1 FROM unlisted WHERE request = NEW.request);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER fact_unlisted;
DROP TABLE unlisted;
DROP TABLE heads_end;
DROP TABLE heads;

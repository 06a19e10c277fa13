-- Each search has its place in a chain of hashes. Those of before get theirs when the next
-- one is added.

-- +goose Up
ALTER TABLE search ADD COLUMN place INTEGER;
ALTER TABLE search ADD COLUMN chain BLOB;
CREATE INDEX search_place ON search (place) WHERE place IS NOT NULL;
CREATE INDEX search_unchained ON search (num) WHERE place IS NULL;

-- The chain's end: one row.
CREATE TABLE search_head (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    size  INTEGER NOT NULL,
    chain BLOB    NOT NULL
) STRICT;
INSERT INTO search_head VALUES (1, 0, x'');

-- +goose Down
DROP TABLE search_head;
DROP INDEX search_unchained;
DROP INDEX search_place;
ALTER TABLE search DROP COLUMN chain;
ALTER TABLE search DROP COLUMN place;

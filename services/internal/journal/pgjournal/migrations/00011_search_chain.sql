-- Each search has its place in a chain of hashes. Those of before get theirs when the next
-- one is added.

-- +goose Up
ALTER TABLE search ADD COLUMN place bigint;
ALTER TABLE search ADD COLUMN chain bytea;
CREATE INDEX search_place ON search (place) WHERE place IS NOT NULL;
CREATE INDEX search_unchained ON search (num) WHERE place IS NULL;

-- The chain's end: one row, locked by who adds to it.
CREATE TABLE search_head (
    one   integer PRIMARY KEY CHECK (one = 1),
    size  bigint NOT NULL,
    chain bytea NOT NULL
);
INSERT INTO search_head VALUES (1, 0, '');

-- +goose Down
DROP TABLE search_head;
DROP INDEX search_unchained;
DROP INDEX search_place;
ALTER TABLE search DROP COLUMN chain;
ALTER TABLE search DROP COLUMN place;

-- The transparency log of receipts.

-- +goose Up

-- A leaf belongs to the fact that it was appended with; one that was taken in from the
-- log's mirror belongs to none here.
CREATE TABLE leaf (
    num     INTEGER PRIMARY KEY, -- the index, from 0
    request INTEGER,
    version INTEGER,
    data    BLOB NOT NULL
) STRICT;
CREATE INDEX leaf_request ON leaf (request, num) WHERE request IS NOT NULL;

-- The tree's hashes, by their places in the order in which they come to be (x/mod's
-- tlog.StoredHashIndex).
CREATE TABLE tree (
    num  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

ALTER TABLE counter ADD COLUMN leaf INTEGER NOT NULL DEFAULT 0;

-- By which a request's fingerprints are found when it is forgotten.
CREATE INDEX fingerprint_request ON fingerprint (request);

-- +goose Down
DROP INDEX fingerprint_request;
ALTER TABLE counter DROP COLUMN leaf;
DROP TABLE tree;
DROP TABLE leaf;

-- The transparency log of receipts.

-- +goose Up

-- A leaf belongs to the fact that it was appended with; one that was taken in from the
-- log's mirror belongs to none here.
CREATE TABLE leaf (
    num     bigint PRIMARY KEY, -- the index, from 0
    request bigint,
    version integer,
    data    bytea NOT NULL
);
CREATE INDEX leaf_request ON leaf (request, num) WHERE request IS NOT NULL;

-- The tree's hashes, by their places in the order in which they come to be (x/mod's
-- tlog.StoredHashIndex).
CREATE TABLE tree (
    num  bigint PRIMARY KEY,
    hash bytea NOT NULL
);

-- How many leaves there are: one row, locked by who appends.
CREATE TABLE tree_size (
    one  integer PRIMARY KEY CHECK (one = 1),
    size bigint NOT NULL
);
INSERT INTO tree_size VALUES (1, 0);

-- By which a request's fingerprints are found when it is forgotten.
CREATE INDEX fingerprint_request ON fingerprint (request);

-- +goose Down
DROP INDEX fingerprint_request;
DROP TABLE tree_size;
DROP TABLE tree;
DROP TABLE leaf;

-- The journal. Times are Unix microseconds, UTC.

-- +goose Up

-- One row a request: what lists show, and the head of its chain. num stands for
-- the request in the other tables, so that what is written together lies
-- together: the cost of an append doesn't grow with the journal.
CREATE TABLE request (
    num          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    version      INTEGER NOT NULL,
    hash         BLOB    NOT NULL,
    status       TEXT    NOT NULL,
    "right"      TEXT    NOT NULL,
    jurisdiction TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    due_at       INTEGER,
    wake_at      INTEGER,
    updated_at   INTEGER NOT NULL,
    overdue      INTEGER NOT NULL,
    waiting      TEXT    NOT NULL -- names of systems, comma between
) STRICT;
CREATE INDEX request_received ON request (received_at DESC, id);
CREATE INDEX request_status   ON request (status, received_at DESC, id);
CREATE INDEX request_right    ON request ("right", received_at DESC, id);
CREATE INDEX request_wake     ON request (wake_at, id) WHERE wake_at IS NOT NULL;

-- The facts. Never updated, never deleted: so they lie in the order in which
-- they were journalled, and a group of appends writes few pages, each full.
CREATE TABLE fact (
    request INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    data    BLOB,
    hash    BLOB    NOT NULL,
    UNIQUE (request, version)
) STRICT;

-- Keyed hashes by which a request can be found.
CREATE TABLE fingerprint (
    fingerprint TEXT    NOT NULL,
    request     INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, request)
) STRICT, WITHOUT ROWID;

-- What the relay has yet to carry: one row for all messages of one append.
CREATE TABLE queue (
    num      INTEGER PRIMARY KEY,
    messages BLOB NOT NULL
) STRICT;

-- The highest numbers that were ever given. One row, read and written once in
-- every transaction: a number is never used twice, not even after its row is
-- gone, and a process sees by it that another one has appended.
CREATE TABLE counter (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    request INTEGER NOT NULL,
    queue  INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES (1, 0, 0);

-- For people: sqlite3 journal.db "SELECT * FROM trace WHERE id = '…'".
CREATE VIEW trace AS
SELECT r.id, f.version, strftime('%Y-%m-%dT%H:%M:%SZ', f.at / 1000000, 'unixepoch') AS at,
       f.type, CAST(f.data AS TEXT) AS data
FROM request r JOIN fact f ON f.request = r.num;

-- +goose Down
DROP VIEW trace;
DROP TABLE counter;
DROP TABLE queue;
DROP TABLE fingerprint;
DROP TABLE fact;
DROP TABLE request;

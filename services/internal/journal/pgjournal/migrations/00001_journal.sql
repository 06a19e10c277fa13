-- The journal. Texts that are sorted or compared have the collation "C": the
-- order of bytes, which is the order that every other implementation has.

-- +goose Up

-- One row a request: what lists show, and the head of its chain. num stands for
-- the request in the other tables. The row is replaced with every append: room
-- is left in the pages (fillfactor) and no column that changes every time is in
-- an index, so that the new row goes beside the old and no index is touched.
CREATE TABLE request (
    num          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE,
    version      integer     NOT NULL,
    hash         bytea       NOT NULL,
    status       text COLLATE "C" NOT NULL,
    "right"      text COLLATE "C" NOT NULL,
    jurisdiction text        NOT NULL,
    source       text        NOT NULL,
    digest       text        NOT NULL,
    received_at  timestamptz NOT NULL,
    due_at       timestamptz,
    wake_at      timestamptz,
    updated_at   timestamptz NOT NULL,
    overdue      boolean     NOT NULL,
    waiting      text[]      NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX request_received ON request (received_at DESC, id);
CREATE INDEX request_status   ON request (status, received_at DESC, id);
CREATE INDEX request_right    ON request ("right", received_at DESC, id);

-- The index of request.wake_at, as a table of its own for that reason.
CREATE TABLE timer (
    request bigint      PRIMARY KEY,
    wake_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX timer_wake ON timer (wake_at);

-- The facts. Never updated, never deleted.
CREATE TABLE fact (
    request bigint      NOT NULL,
    version integer     NOT NULL,
    type    text        NOT NULL,
    at      timestamptz NOT NULL,
    data    bytea,
    hash    bytea       NOT NULL,
    PRIMARY KEY (request, version)
);

-- Keyed hashes by which a request can be found.
CREATE TABLE fingerprint (
    fingerprint text COLLATE "C" NOT NULL,
    request     bigint           NOT NULL,
    PRIMARY KEY (fingerprint, request)
);

-- What the relays have yet to carry: one row for all messages of one append.
-- Rows of one request have rising numbers, in the order of its versions, because
-- a number is drawn while the request's row is locked. shard is a hash of the
-- request's id; whoever holds a shard's lock carries its rows.
-- It is a queue: vacuumed by the number of dead rows, not by their share.
CREATE TABLE queue (
    num      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard    smallint NOT NULL,
    messages bytea    NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- For people: SELECT * FROM trace WHERE id = '…' ORDER BY version.
-- encode(…, 'escape') shows JSON's text whatever the data is.
CREATE VIEW trace AS
SELECT r.id, f.version, f.at, f.type, encode(f.data, 'escape') AS data
FROM request r JOIN fact f ON f.request = r.num;

-- +goose Down
DROP VIEW trace;
DROP TABLE queue;
DROP TABLE fingerprint;
DROP TABLE fact;
DROP TABLE timer;
DROP TABLE request;

-- What people are asked for once, to prove a mailbox: keyed hashes, for thirty days.

-- +goose Up
CREATE TABLE proof (
    id    TEXT    PRIMARY KEY,
    who   TEXT    NOT NULL,
    hash  BLOB    NOT NULL,
    at    INTEGER NOT NULL,
    ends  INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    tried INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_who ON proof (who, at);
CREATE INDEX proof_at ON proof (at);

-- +goose Down
DROP TABLE proof;

-- What people are asked for once, to prove a mailbox: keyed hashes, for thirty days.

-- +goose Up
CREATE TABLE proof (
    id    text COLLATE "C" PRIMARY KEY,
    who   text COLLATE "C" NOT NULL,
    hash  bytea NOT NULL,
    at    timestamptz NOT NULL,
    ends  timestamptz NOT NULL,
    tries integer NOT NULL,
    tried integer NOT NULL DEFAULT 0,
    spent boolean NOT NULL DEFAULT false
);
CREATE INDEX proof_who ON proof (who, at);
CREATE INDEX proof_at ON proof (at);

-- +goose Down
DROP TABLE proof;

-- Who searched for whom: a keyed hash of what was searched for.

-- +goose Up
CREATE TABLE search (
    num   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at    timestamptz NOT NULL,
    by    text COLLATE "C" NOT NULL,
    hash  text COLLATE "C" NOT NULL,
    found integer NOT NULL
);
CREATE INDEX search_by ON search (by, at);

-- +goose Down
DROP TABLE search;

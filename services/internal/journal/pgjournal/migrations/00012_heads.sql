-- The list of the heads of all requests, whose end is signed and mirrored.

-- +goose Up
CREATE TABLE heads (
    place bigint PRIMARY KEY,
    heads bytea NOT NULL,
    chain bytea NOT NULL
);

-- The list's end: one row, locked by who adds to it.
CREATE TABLE heads_end (
    one   integer PRIMARY KEY CHECK (one = 1),
    size  bigint NOT NULL,
    chain bytea NOT NULL
);
INSERT INTO heads_end VALUES (1, 0, '');

-- The requests that have changed since they were listed, a row for each append. Without an index, so that no append waits for another, nor for who lists: a row that
-- can be seen is of an append that can be seen. It is a queue: vacuumed by the number of dead
-- rows, not by their share.
CREATE TABLE unlisted (
    request bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- By a trigger, so that whoever appends has the request listed, also a program of before. It
-- does so as the owner: no role needs to write there.
-- +goose StatementBegin
CREATE FUNCTION note_unlisted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO unlisted SELECT DISTINCT request FROM added;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER fact_unlisted AFTER INSERT ON fact REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unlisted();

-- +goose Down
DROP TRIGGER fact_unlisted ON fact;
DROP FUNCTION note_unlisted;
DROP TABLE unlisted;
DROP TABLE heads_end;
DROP TABLE heads;

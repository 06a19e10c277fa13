-- All requests are to be listed at first. In a transaction of its own: what is appended from
-- the one before on is noted, so that nothing is left out, and nobody waits for this.

-- +goose Up
INSERT INTO unlisted SELECT num FROM request;

-- +goose Down
DELETE FROM unlisted;

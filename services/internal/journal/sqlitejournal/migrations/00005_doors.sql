-- What callers of the door ask for: their own requests.

-- +goose Up
CREATE INDEX request_source ON request (source, received_at DESC, id);

-- +goose Down
DROP INDEX request_source;

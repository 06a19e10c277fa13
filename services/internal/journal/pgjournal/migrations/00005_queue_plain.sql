-- The queue's rows live for milliseconds. Compressing them, as PostgreSQL does
-- with what is longer than 2 KiB, took two thirds of the time of writing them
-- (docs/benchmarks.md); they stay in their row as they are.

-- +goose Up
ALTER TABLE queue ALTER COLUMN messages SET STORAGE EXTERNAL;
ALTER TABLE queue SET (toast_tuple_target = 8160);

-- +goose Down
ALTER TABLE queue RESET (toast_tuple_target);
ALTER TABLE queue ALTER COLUMN messages SET STORAGE EXTENDED;

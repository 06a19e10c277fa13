CREATE TABLE choices (
  cookie_id      TEXT PRIMARY KEY,
  account_id     TEXT,
  interest_based BOOLEAN NOT NULL,
  measured       BOOLEAN NOT NULL,
  chosen_at      TEXT NOT NULL,
  restricted     BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX choices_by_account ON choices (account_id, cookie_id);

CREATE TABLE segments (
  membership_id TEXT PRIMARY KEY,
  cookie_id     TEXT,
  account_id    TEXT,
  segment       TEXT NOT NULL,
  joined_at     TEXT NOT NULL,
  active        BOOLEAN NOT NULL DEFAULT 1,
  restricted    BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX segments_by_account ON segments (account_id, membership_id);
CREATE INDEX segments_by_cookie ON segments (cookie_id, membership_id);

CREATE TABLE inferences (
  inference_id TEXT PRIMARY KEY,
  cookie_id    TEXT,
  account_id   TEXT,
  topic        TEXT NOT NULL,
  score        REAL NOT NULL,
  inferred_at  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX inferences_by_account ON inferences (account_id, inference_id);
CREATE INDEX inferences_by_cookie ON inferences (cookie_id, inference_id);

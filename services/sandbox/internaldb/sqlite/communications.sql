CREATE TABLE preferences (
  email      TEXT PRIMARY KEY,
  language   TEXT,
  marketing  BOOLEAN NOT NULL,
  newsletter BOOLEAN NOT NULL,
  research   BOOLEAN NOT NULL,
  shared     BOOLEAN NOT NULL,
  paused     BOOLEAN NOT NULL DEFAULT 0,
  agreed_at  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX preferences_by_email ON preferences (lower(email));

CREATE TABLE sendings (
  sending_id TEXT PRIMARY KEY,
  email      TEXT NOT NULL,
  purpose    TEXT NOT NULL,
  subject    TEXT NOT NULL,
  sent_at    TEXT NOT NULL,
  opened_at  TEXT
) WITHOUT ROWID;
CREATE INDEX sendings_by_email ON sendings (lower(email), sending_id);

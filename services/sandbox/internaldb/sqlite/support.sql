CREATE TABLE tickets (
  ticket_id  TEXT PRIMARY KEY,
  account_id TEXT,
  email      TEXT NOT NULL,
  subject    TEXT NOT NULL,
  channel    TEXT NOT NULL,
  status     TEXT NOT NULL,
  opened_at  TEXT NOT NULL,
  restricted BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX tickets_by_email ON tickets (lower(email), ticket_id);

CREATE TABLE ticket_messages (
  message_id     TEXT PRIMARY KEY,
  ticket_id      TEXT NOT NULL REFERENCES tickets (ticket_id),
  written_by     TEXT NOT NULL,
  author_name    TEXT,
  author_email   TEXT,
  author_account TEXT,
  body           TEXT NOT NULL,
  sent_at        TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX ticket_messages_by_ticket ON ticket_messages (ticket_id, message_id);
CREATE INDEX ticket_messages_by_author ON ticket_messages (author_account, message_id);

CREATE TABLE calls (
  call_id    TEXT PRIMARY KEY,
  email      TEXT NOT NULL,
  called_at  TEXT NOT NULL,
  recording  TEXT,
  transcript TEXT,
  conference BOOLEAN NOT NULL,
  voiceprint TEXT,
  review     TEXT,
  reviewable BOOLEAN NOT NULL DEFAULT 1,
  restricted BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX calls_by_email ON calls (lower(email), call_id);

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
CREATE INDEX tickets_by_email ON tickets (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), ticket_id);

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
CREATE INDEX calls_by_email ON calls (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), call_id);

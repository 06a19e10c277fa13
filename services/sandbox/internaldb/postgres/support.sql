CREATE TABLE tickets (
  ticket_id  TEXT PRIMARY KEY,
  account_id TEXT,
  email      TEXT NOT NULL,
  subject    TEXT NOT NULL,
  channel    TEXT NOT NULL,
  status     TEXT NOT NULL,
  opened_at  TIMESTAMPTZ NOT NULL,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX tickets_by_email ON tickets (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), ticket_id);

CREATE TABLE ticket_messages (
  message_id     TEXT PRIMARY KEY,
  ticket_id      TEXT NOT NULL REFERENCES tickets (ticket_id),
  written_by     TEXT NOT NULL,
  author_name    TEXT,
  author_email   TEXT,
  author_account TEXT,
  body           TEXT NOT NULL,
  sent_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX ticket_messages_by_ticket ON ticket_messages (ticket_id, message_id);
CREATE INDEX ticket_messages_by_author ON ticket_messages (author_account, message_id);

CREATE TABLE calls (
  call_id    TEXT PRIMARY KEY,
  email      TEXT NOT NULL,
  called_at  TIMESTAMPTZ NOT NULL,
  recording  TEXT,
  transcript TEXT,
  conference BOOLEAN NOT NULL,
  voiceprint TEXT,
  review     TEXT,
  reviewable BOOLEAN NOT NULL DEFAULT true,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX calls_by_email ON calls (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), call_id);

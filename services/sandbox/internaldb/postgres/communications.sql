CREATE TABLE preferences (
  email      TEXT PRIMARY KEY,
  language   TEXT,
  marketing  BOOLEAN NOT NULL,
  newsletter BOOLEAN NOT NULL,
  research   BOOLEAN NOT NULL,
  shared     BOOLEAN NOT NULL,
  in_product BOOLEAN NOT NULL,
  cookies    BOOLEAN NOT NULL,
  paused     BOOLEAN NOT NULL DEFAULT false,
  agreed_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX preferences_by_email ON preferences (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')));

CREATE TABLE sendings (
  sending_id TEXT PRIMARY KEY,
  email      TEXT NOT NULL,
  purpose    TEXT NOT NULL,
  subject    TEXT NOT NULL,
  sent_at    TIMESTAMPTZ NOT NULL,
  opened_at  TIMESTAMPTZ
);
CREATE INDEX sendings_by_email ON sendings (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), sending_id);

CREATE TABLE partners (
  partner_id   TEXT PRIMARY KEY,
  account_id   TEXT,
  email        TEXT NOT NULL,
  contact_name TEXT,
  company      TEXT,
  status       TEXT NOT NULL,
  joined_on    DATE NOT NULL,
  news         BOOLEAN NOT NULL DEFAULT true,
  restricted   BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX partners_by_account ON partners (account_id, partner_id);
CREATE INDEX partners_by_email ON partners (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), partner_id);

CREATE TABLE programmes (
  subscription_id TEXT PRIMARY KEY,
  partner_id      TEXT NOT NULL REFERENCES partners (partner_id),
  programme       TEXT NOT NULL,
  started_on      DATE NOT NULL,
  ended_on        DATE
);
CREATE INDEX programmes_by_partner ON programmes (partner_id);

-- Whom a partner names: colleagues, who may be partners themselves.
CREATE TABLE partner_contacts (
  contact_id TEXT PRIMARY KEY,
  partner_id TEXT NOT NULL REFERENCES partners (partner_id),
  role       TEXT,
  name       TEXT,
  email      TEXT
);
CREATE INDEX partner_contacts_by_partner ON partner_contacts (partner_id);
CREATE INDEX partner_contacts_by_email ON partner_contacts (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), contact_id);

-- What a partner's account was before each change.
CREATE TABLE partner_archive (
  version_id   TEXT PRIMARY KEY,
  partner_id   TEXT NOT NULL REFERENCES partners (partner_id),
  version      INTEGER NOT NULL,
  replaced_at  TIMESTAMPTZ NOT NULL,
  email        TEXT,
  contact_name TEXT,
  company      TEXT,
  status       TEXT
);
CREATE INDEX partner_archive_by_partner ON partner_archive (partner_id);

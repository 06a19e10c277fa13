CREATE TABLE accounts (
  account_id     TEXT PRIMARY KEY,
  email          TEXT NOT NULL,
  phone          TEXT,
  given_name     TEXT,
  family_name    TEXT,
  username       TEXT,
  alias          TEXT,
  postal_address TEXT,
  country        TEXT,
  language       TEXT,
  organisation   TEXT,
  role           TEXT,
  created_at     TIMESTAMPTZ NOT NULL,
  restricted     BOOLEAN NOT NULL DEFAULT false,
  marketing      BOOLEAN NOT NULL DEFAULT true
);
CREATE INDEX accounts_by_email ON accounts (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')));
CREATE INDEX accounts_by_phone ON accounts (translate(btrim(phone, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff'), E' \u00a0\u2009\u202f\x09()-\u2010\u2011\u2012\u2013\u2014./', ''));

CREATE TABLE account_contacts (
  contact_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  kind       TEXT,
  name       TEXT,
  email      TEXT,
  phone      TEXT,
  note       TEXT
);
CREATE INDEX account_contacts_by_account ON account_contacts (account_id, contact_id);
CREATE INDEX account_contacts_by_email ON account_contacts (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), contact_id);

CREATE TABLE credentials (
  credential_id TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL REFERENCES accounts (account_id),
  kind          TEXT NOT NULL,
  label         TEXT,
  secret_hash   TEXT,
  question      TEXT,
  created_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX credentials_by_account ON credentials (account_id, credential_id);

CREATE TABLE logins (
  login_id   BIGINT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  at         TIMESTAMPTZ NOT NULL,
  ip         TEXT,
  user_agent TEXT,
  successful BOOLEAN NOT NULL
);
CREATE INDEX logins_by_account ON logins (account_id, login_id);

-- What a profile was before each change.
CREATE TABLE account_archive (
  version_id     TEXT PRIMARY KEY,
  account_id     TEXT NOT NULL REFERENCES accounts (account_id),
  version        INTEGER NOT NULL,
  replaced_at    TIMESTAMPTZ NOT NULL,
  email          TEXT,
  phone          TEXT,
  given_name     TEXT,
  family_name    TEXT,
  postal_address TEXT,
  settings       JSONB
);
CREATE INDEX account_archive_by_account ON account_archive (account_id, version_id);

-- Browsers in which somebody has signed in to an account.
CREATE TABLE browsers (
  cookie_id     TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL REFERENCES accounts (account_id),
  user_agent    TEXT,
  first_seen_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX browsers_by_account ON browsers (account_id, cookie_id);

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
  created_at     TEXT NOT NULL,
  restricted     BOOLEAN NOT NULL DEFAULT 0,
  marketing      BOOLEAN NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX accounts_by_email ON accounts (lower(email));
CREATE INDEX accounts_by_phone ON accounts (phone);

CREATE TABLE account_contacts (
  contact_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  kind       TEXT,
  name       TEXT,
  email      TEXT,
  phone      TEXT,
  note       TEXT
) WITHOUT ROWID;
CREATE INDEX account_contacts_by_account ON account_contacts (account_id, contact_id);

CREATE TABLE credentials (
  credential_id TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL REFERENCES accounts (account_id),
  kind          TEXT NOT NULL,
  label         TEXT,
  secret_hash   TEXT,
  question      TEXT,
  created_at    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX credentials_by_account ON credentials (account_id, credential_id);

CREATE TABLE logins (
  login_id   INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (account_id),
  at         TEXT NOT NULL,
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
  replaced_at    TEXT NOT NULL,
  email          TEXT,
  phone          TEXT,
  given_name     TEXT,
  family_name    TEXT,
  postal_address TEXT,
  settings       TEXT
) WITHOUT ROWID;
CREATE INDEX account_archive_by_account ON account_archive (account_id, version_id);

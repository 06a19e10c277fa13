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
CREATE INDEX accounts_by_email ON accounts (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))));
CREATE INDEX accounts_by_phone ON accounts (replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(trim(phone, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279)), char(32), ''), char(160), ''), char(8201), ''), char(8239), ''), char(9), ''), char(40), ''), char(41), ''), char(45), ''), char(8208), ''), char(8209), ''), char(8210), ''), char(8211), ''), char(8212), ''), char(46), ''), char(47), ''));

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
CREATE INDEX account_contacts_by_email ON account_contacts (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), contact_id);

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

-- Browsers in which somebody has signed in to an account.
CREATE TABLE browsers (
  cookie_id     TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL REFERENCES accounts (account_id),
  user_agent    TEXT,
  first_seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX browsers_by_account ON browsers (account_id, cookie_id);

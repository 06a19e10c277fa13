CREATE TABLE partners (
  partner_id   TEXT PRIMARY KEY,
  account_id   TEXT,
  email        TEXT NOT NULL,
  contact_name TEXT,
  company      TEXT,
  status       TEXT NOT NULL,
  joined_on    TEXT NOT NULL,
  news         BOOLEAN NOT NULL DEFAULT 1,
  restricted   BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX partners_by_account ON partners (account_id, partner_id);
CREATE INDEX partners_by_email ON partners (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), partner_id);

CREATE TABLE programmes (
  subscription_id TEXT PRIMARY KEY,
  partner_id      TEXT NOT NULL REFERENCES partners (partner_id),
  programme       TEXT NOT NULL,
  started_on      TEXT NOT NULL,
  ended_on        TEXT
) WITHOUT ROWID;
CREATE INDEX programmes_by_partner ON programmes (partner_id);

-- Whom a partner names: colleagues, who may be partners themselves.
CREATE TABLE partner_contacts (
  contact_id TEXT PRIMARY KEY,
  partner_id TEXT NOT NULL REFERENCES partners (partner_id),
  role       TEXT,
  name       TEXT,
  email      TEXT
) WITHOUT ROWID;
CREATE INDEX partner_contacts_by_partner ON partner_contacts (partner_id);
CREATE INDEX partner_contacts_by_email ON partner_contacts (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), contact_id);

-- What a partner's account was before each change.
CREATE TABLE partner_archive (
  version_id   TEXT PRIMARY KEY,
  partner_id   TEXT NOT NULL REFERENCES partners (partner_id),
  version      INTEGER NOT NULL,
  replaced_at  TEXT NOT NULL,
  email        TEXT,
  contact_name TEXT,
  company      TEXT,
  status       TEXT
) WITHOUT ROWID;
CREATE INDEX partner_archive_by_partner ON partner_archive (partner_id);

CREATE TABLE reports (
  report_id    TEXT PRIMARY KEY,
  bureau       TEXT NOT NULL,
  account_id   TEXT,
  tax_id       TEXT,
  subject_name TEXT,
  score        INTEGER NOT NULL,
  defaults     INTEGER NOT NULL,
  comment      TEXT,
  received_on  TEXT NOT NULL,
  restricted   BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX reports_by_account ON reports (account_id, report_id);
CREATE INDEX reports_by_tax_id ON reports (tax_id, report_id);

CREATE TABLE history (
  entry_id    TEXT PRIMARY KEY,
  report_id   TEXT NOT NULL REFERENCES reports (report_id),
  kind        TEXT NOT NULL,
  amount      REAL NOT NULL,
  currency    TEXT NOT NULL,
  happened_on TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX history_by_report ON history (report_id);

CREATE TABLE leads (
  lead_id     TEXT PRIMARY KEY,
  source      TEXT NOT NULL,
  account_id  TEXT,
  tax_id      TEXT,
  name        TEXT,
  interest    TEXT,
  received_on TEXT NOT NULL,
  usable      BOOLEAN NOT NULL DEFAULT 1,
  restricted  BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX leads_by_account ON leads (account_id, lead_id);
CREATE INDEX leads_by_tax_id ON leads (tax_id, lead_id);

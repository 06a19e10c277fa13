CREATE TABLE customers (
  customer_id  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_ref TEXT UNIQUE,
  account_id   TEXT,
  name         TEXT,
  email        TEXT,
  address      TEXT,
  tax_id       TEXT,
  card_number  TEXT,
  card_expires TEXT,
  created_on   DATE NOT NULL,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX customers_by_account ON customers (account_id);

CREATE TABLE subscriptions (
  subscription_id TEXT PRIMARY KEY,
  customer_ref    TEXT NOT NULL,
  plan            TEXT NOT NULL,
  started_on      DATE NOT NULL,
  ended_on        DATE,
  fee             NUMERIC(12, 2) NOT NULL,
  currency        TEXT NOT NULL
);
CREATE INDEX subscriptions_by_customer ON subscriptions (customer_ref, subscription_id);

CREATE TABLE invoices (
  invoice_id   TEXT PRIMARY KEY,
  customer_ref TEXT NOT NULL,
  issued_on    DATE NOT NULL,
  bill_to      TEXT NOT NULL,
  tax_id       TEXT,
  total        NUMERIC(12, 2) NOT NULL,
  currency     TEXT NOT NULL,
  paid         BOOLEAN NOT NULL,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX invoices_by_customer ON invoices (customer_ref, invoice_id);

CREATE TABLE invoice_lines (
  line_id     TEXT PRIMARY KEY,
  invoice_id  TEXT NOT NULL REFERENCES invoices (invoice_id),
  description TEXT,
  quantity    INTEGER NOT NULL,
  amount      NUMERIC(12, 2) NOT NULL
);
CREATE INDEX invoice_lines_by_invoice ON invoice_lines (invoice_id);

CREATE TABLE payments (
  payment_id   TEXT PRIMARY KEY,
  customer_ref TEXT NOT NULL,
  invoice_id   TEXT NOT NULL,
  paid_on      DATE NOT NULL,
  amount       NUMERIC(12, 2) NOT NULL,
  currency     TEXT NOT NULL,
  method       TEXT,
  iban         TEXT,
  reference    TEXT,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX payments_by_customer ON payments (customer_ref, payment_id);

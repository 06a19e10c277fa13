CREATE TABLE purchases (
  purchase_id TEXT PRIMARY KEY,
  account_id  TEXT NOT NULL,
  product     TEXT NOT NULL,
  bought_at   TIMESTAMPTZ NOT NULL,
  amount      NUMERIC(12, 2) NOT NULL,
  currency    TEXT NOT NULL,
  licence_to  TEXT,
  note        TEXT,
  restricted  BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX purchases_by_account ON purchases (account_id, purchase_id);

CREATE TABLE buyer_subscriptions (
  subscription_id TEXT PRIMARY KEY,
  account_id      TEXT NOT NULL,
  product         TEXT NOT NULL,
  started_on      DATE NOT NULL,
  ended_on        DATE,
  seats           INTEGER NOT NULL,
  restricted      BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX buyer_subscriptions_by_account ON buyer_subscriptions (account_id, subscription_id);

CREATE TABLE sellers (
  seller_id         TEXT PRIMARY KEY,
  account_id        TEXT NOT NULL,
  legal_name        TEXT,
  bank_account      TEXT,
  identity_document TEXT,
  verified          BOOLEAN NOT NULL,
  status            TEXT NOT NULL,
  since             DATE NOT NULL,
  restricted        BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX sellers_by_account ON sellers (account_id, seller_id);

CREATE TABLE listings (
  listing_id   TEXT PRIMARY KEY,
  seller_id    TEXT NOT NULL REFERENCES sellers (seller_id),
  title        TEXT NOT NULL,
  description  TEXT,
  price        NUMERIC(12, 2) NOT NULL,
  published_at TIMESTAMPTZ,
  restricted   BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX listings_by_seller ON listings (seller_id);

CREATE TABLE reviews (
  review_id  TEXT PRIMARY KEY,
  account_id TEXT,
  product    TEXT NOT NULL,
  author     TEXT,
  stars      INTEGER NOT NULL,
  body       TEXT,
  written_at TIMESTAMPTZ,
  published  BOOLEAN NOT NULL DEFAULT true,
  restricted BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX reviews_by_account ON reviews (account_id, review_id);

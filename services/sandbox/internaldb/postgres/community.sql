CREATE TABLE members (
  account_id   TEXT PRIMARY KEY,
  email        TEXT NOT NULL,
  display_name TEXT,
  bio          TEXT,
  joined_at    TIMESTAMPTZ NOT NULL,
  restricted   BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX members_by_email ON members (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), account_id);

-- Others answer a post, so it stays as one of nobody's.
CREATE TABLE posts (
  post_id    TEXT PRIMARY KEY,
  account_id TEXT,
  answers    TEXT REFERENCES posts (post_id),
  body       TEXT NOT NULL,
  image      TEXT,
  posted_at  TIMESTAMPTZ
);
CREATE INDEX posts_by_account ON posts (account_id, post_id);
CREATE INDEX posts_by_answered ON posts (answers);

-- What a post said before each change.
CREATE TABLE post_archive (
  version_id  TEXT PRIMARY KEY,
  post_id     TEXT NOT NULL REFERENCES posts (post_id),
  body        TEXT NOT NULL,
  replaced_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX post_archive_by_post ON post_archive (post_id);

CREATE TABLE direct_messages (
  message_id TEXT PRIMARY KEY,
  sender     TEXT,
  recipient  TEXT,
  body       TEXT NOT NULL,
  sent_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX direct_messages_by_sender ON direct_messages (sender, message_id);
CREATE INDEX direct_messages_by_recipient ON direct_messages (recipient, message_id);

CREATE TABLE connections (
  member TEXT NOT NULL,
  other  TEXT NOT NULL,
  since  TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (member, other)
);
CREATE INDEX connections_by_other ON connections (other, member);

CREATE TABLE survey_answers (
  answer_id   TEXT PRIMARY KEY,
  email       TEXT,
  account_id  TEXT,
  survey      TEXT NOT NULL,
  asked       TEXT NOT NULL,
  answer      TEXT,
  answered_at TIMESTAMPTZ NOT NULL,
  usable      BOOLEAN NOT NULL DEFAULT true,
  restricted  BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX survey_answers_by_email ON survey_answers (lower(btrim(email, E' \x09\x0a\x0b\x0c\x0d\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff')), answer_id);
CREATE INDEX survey_answers_by_account ON survey_answers (account_id, answer_id);

CREATE TABLE testimonials (
  testimonial_id TEXT PRIMARY KEY,
  account_id     TEXT NOT NULL,
  author         TEXT,
  body           TEXT NOT NULL,
  published      BOOLEAN NOT NULL,
  given_at       TIMESTAMPTZ NOT NULL,
  restricted     BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX testimonials_by_account ON testimonials (account_id, testimonial_id);

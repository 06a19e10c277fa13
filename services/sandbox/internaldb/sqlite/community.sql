CREATE TABLE members (
  account_id   TEXT PRIMARY KEY,
  email        TEXT NOT NULL,
  display_name TEXT,
  bio          TEXT,
  joined_at    TEXT NOT NULL,
  restricted   BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX members_by_email ON members (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), account_id);

-- Others answer a post, so it stays as one of nobody's.
CREATE TABLE posts (
  post_id    TEXT PRIMARY KEY,
  account_id TEXT,
  answers    TEXT REFERENCES posts (post_id),
  body       TEXT NOT NULL,
  image      TEXT,
  posted_at  TEXT
) WITHOUT ROWID;
CREATE INDEX posts_by_account ON posts (account_id, post_id);
CREATE INDEX posts_by_answered ON posts (answers);

-- What a post said before each change.
CREATE TABLE post_archive (
  version_id  TEXT PRIMARY KEY,
  post_id     TEXT NOT NULL REFERENCES posts (post_id),
  body        TEXT NOT NULL,
  replaced_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX post_archive_by_post ON post_archive (post_id);

CREATE TABLE direct_messages (
  message_id TEXT PRIMARY KEY,
  sender     TEXT,
  recipient  TEXT,
  body       TEXT NOT NULL,
  sent_at    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX direct_messages_by_sender ON direct_messages (sender, message_id);
CREATE INDEX direct_messages_by_recipient ON direct_messages (recipient, message_id);

CREATE TABLE connections (
  member TEXT NOT NULL,
  other  TEXT NOT NULL,
  since  TEXT NOT NULL,
  PRIMARY KEY (member, other)
) WITHOUT ROWID;
CREATE INDEX connections_by_other ON connections (other, member);

CREATE TABLE survey_answers (
  answer_id   TEXT PRIMARY KEY,
  email       TEXT,
  account_id  TEXT,
  survey      TEXT NOT NULL,
  asked       TEXT NOT NULL,
  answer      TEXT,
  answered_at TEXT NOT NULL,
  usable      BOOLEAN NOT NULL DEFAULT 1,
  restricted  BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX survey_answers_by_email ON survey_answers (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), answer_id);
CREATE INDEX survey_answers_by_account ON survey_answers (account_id, answer_id);

CREATE TABLE testimonials (
  testimonial_id TEXT PRIMARY KEY,
  account_id     TEXT NOT NULL,
  author         TEXT,
  body           TEXT NOT NULL,
  published      BOOLEAN NOT NULL,
  given_at       TEXT NOT NULL,
  restricted     BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX testimonials_by_account ON testimonials (account_id, testimonial_id);

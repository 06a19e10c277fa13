CREATE TABLE registrations (
  registration_id TEXT PRIMARY KEY,
  email           TEXT NOT NULL,
  name            TEXT NOT NULL,
  phone           TEXT,
  company         TEXT,
  event           TEXT NOT NULL,
  event_date      TEXT NOT NULL,
  dietary         TEXT,
  badge           TEXT,
  registered_at   TEXT NOT NULL,
  restricted      BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX registrations_by_email ON registrations (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), registration_id);

CREATE TABLE attendance (
  attendance_id   INTEGER PRIMARY KEY,
  registration_id TEXT NOT NULL REFERENCES registrations (registration_id),
  session         TEXT NOT NULL,
  checked_in_at   TEXT NOT NULL,
  rating          INTEGER,
  counted         BOOLEAN NOT NULL DEFAULT 1
);
CREATE INDEX attendance_by_registration ON attendance (registration_id);

CREATE TABLE media (
  media_id      TEXT PRIMARY KEY,
  email         TEXT NOT NULL,
  kind          TEXT NOT NULL,
  file          TEXT NOT NULL,
  caption       TEXT,
  face_template TEXT,
  consent       BOOLEAN NOT NULL,
  captured_at   TEXT NOT NULL,
  restricted    BOOLEAN NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX media_by_email ON media (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), media_id);

CREATE TABLE travel (
  trip_id     TEXT PRIMARY KEY,
  email       TEXT NOT NULL,
  origin      TEXT,
  destination TEXT,
  departs_at  TEXT NOT NULL,
  passport    TEXT,
  latitude    REAL,
  longitude   REAL
) WITHOUT ROWID;
CREATE INDEX travel_by_email ON travel (lower(trim(email, char(32,9,10,11,12,13,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288,173,6158,8203,8204,8205,8206,8207,8234,8235,8236,8237,8238,8288,65279))), trip_id);

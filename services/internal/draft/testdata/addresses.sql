CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE user_emails (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), email TEXT NOT NULL UNIQUE);
CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), body TEXT NOT NULL);
INSERT INTO users VALUES (1, 'ann@example.com', 'ann archer'), (2, 'bob@example.com', 'bob baker');
INSERT INTO user_emails VALUES (11, 1, 'second.ann@example.org'), (12, 2, 'second.bob@example.org'), (13, 1, 'third.ann@example.org');
INSERT INTO notes VALUES (1, 1, 'ann writes'), (2, 2, 'bob writes'), (3, 1, 'ann writes more');

CREATE TABLE tickets (number TEXT PRIMARY KEY, email TEXT, subject TEXT, asked_on TEXT);
CREATE TABLE refunds (number TEXT PRIMARY KEY, email TEXT, amount REAL, paid_on TEXT);
INSERT INTO tickets VALUES
  ('T-1', 'anna@example.com', 'My headphones are silent', '2026-01-10'),
  ('T-2', 'Anna@example.com', 'Thank you', '2026-01-12'),
  ('T-3', 'bob@example.com', 'Where is my parcel?', '2026-02-03');
INSERT INTO refunds VALUES
  ('R-1', 'anna@example.com', 12.5, '2009-03-01'),
  ('R-2', 'anna@example.com', 80, '2026-02-01'),
  ('R-3', 'bob@example.com', 7, '2026-02-04');

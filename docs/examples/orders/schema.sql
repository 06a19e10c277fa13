CREATE TABLE orders (number TEXT PRIMARY KEY, email TEXT NOT NULL, placed_on TEXT NOT NULL, total NUMERIC NOT NULL);
CREATE INDEX orders_email ON orders (lower(email));
INSERT INTO orders VALUES ('A-1', 'anna@example.com', date('now', '-1 month'), 25.5);
INSERT INTO orders VALUES ('A-2', 'Anna@Example.com', '2001-04-01', 12);
INSERT INTO orders VALUES ('B-1', 'bob@example.com', '2002-05-01', 99);

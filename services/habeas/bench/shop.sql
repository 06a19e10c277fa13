-- A shop as PostgreSQL has many: six tables, keys between them, an index for each
-- way in. SQLite takes the same.
CREATE TABLE customers (
    customer_ref text PRIMARY KEY,
    email        text NOT NULL UNIQUE,
    name         text NOT NULL,
    phone        text,
    created_at   timestamp NOT NULL
);
CREATE TABLE addresses (
    address_id   bigint PRIMARY KEY,
    customer_ref text NOT NULL REFERENCES customers,
    street       text NOT NULL,
    city         text NOT NULL,
    country      text NOT NULL
);
CREATE INDEX addresses_customer ON addresses (customer_ref);
CREATE TABLE orders (
    order_id     bigint PRIMARY KEY,
    customer_ref text NOT NULL REFERENCES customers,
    ordered_at   timestamp NOT NULL,
    total        numeric(12, 2) NOT NULL
);
CREATE INDEX orders_customer ON orders (customer_ref);
CREATE TABLE order_items (
    item_id      bigint PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    customer_ref text NOT NULL REFERENCES customers,
    product      text NOT NULL,
    quantity     integer NOT NULL
);
CREATE INDEX order_items_customer ON order_items (customer_ref);
CREATE INDEX order_items_order ON order_items (order_id);
CREATE TABLE payments (
    payment_id   bigint PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders,
    customer_ref text NOT NULL REFERENCES customers,
    paid_at      timestamp NOT NULL,
    amount       numeric(12, 2) NOT NULL
);
CREATE INDEX payments_customer ON payments (customer_ref);
CREATE INDEX payments_order ON payments (order_id);
CREATE TABLE visits (
    visit_id     bigint PRIMARY KEY,
    customer_ref text NOT NULL REFERENCES customers,
    visited_at   timestamp NOT NULL,
    page         text NOT NULL,
    address      text NOT NULL
);
CREATE INDEX visits_customer ON visits (customer_ref);

-- The systems' databases, beside Habeas' own. In production they are elsewhere, and
-- each worker has a user of its own there.
CREATE DATABASE account;
CREATE DATABASE billing;
CREATE DATABASE marketplace;
CREATE DATABASE events;
CREATE DATABASE support;
CREATE DATABASE communications;

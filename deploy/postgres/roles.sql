-- A role for each service that has the journal; an administrator runs it once, gives each
-- a password (\password habeas_intake), and then, as the tables' owner:
--   habeas journal migrate --config owner.yaml
-- which grants each what it needs, by table, and of facts by type. None may alter or delete
-- a fact. Workers and the aggregator don't reach this database.
CREATE ROLE habeas_intake LOGIN;
CREATE ROLE habeas_coordinator LOGIN;
CREATE ROLE habeas_letters LOGIN;
CREATE ROLE habeas_console LOGIN;
CREATE ROLE habeas_portal LOGIN;

-- What each role of the database may do; docs/audit.md says why. As the owner of the tables, after every `migrate`:
-- what a new table is given by itself is more than a table of the history allows.
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -h 127.0.0.1 -U pim -d pim -f docs/deploy/roles.sql

REVOKE TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pim_web, pim_worker, pim_archivist;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pim_web, pim_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO pim_web, pim_worker;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pim_web, pim_worker;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO pim_web, pim_worker;

-- The history: written once.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_event, audit_eventtext, audit_pending, audit_leaf, audit_batch FROM pim_web, pim_worker;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_archive, audit_archived FROM pim_web, pim_worker;
-- Erasing personal text on request; a trigger lets it be emptied only.
GRANT UPDATE (fields, salts, search, erased_at) ON audit_eventtext TO pim_web;
-- Sealing is the worker's.
REVOKE INSERT ON audit_leaf, audit_batch FROM pim_web;
GRANT DELETE ON audit_pending TO pim_worker;
-- What is too old leaves by a role that does nothing else: it tells of it, and triggers let go of what is archived only.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO pim_archivist;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pim_archivist;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO pim_archivist;
GRANT INSERT ON audit_archive, audit_archived, audit_event, audit_eventtext, audit_pending TO pim_archivist;
GRANT INSERT ON pim_portal_notification, django_q_ormq TO pim_archivist;
GRANT DELETE ON audit_event, audit_eventtext TO pim_archivist;
-- None migrates.
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM pim_web, pim_worker;

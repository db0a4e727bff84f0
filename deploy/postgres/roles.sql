-- Two roles and one schema per service. `payment_owner` owns the schema and migrates; `payment` serves, owns nothing,
-- and may do what payment/migrations/env.py says. Neither can touch another schema.
-- Run by psql as administrator in the database `sampan`, again and again: it changes only what differs.
-- SAMPAN_ROLES and SAMPAN_OWNERS in the environment are JSON: {"auth": "password", …}, of the roles that serve and of
-- the owners.
\set ON_ERROR_STOP on
\getenv roles SAMPAN_ROLES
\getenv owners SAMPAN_OWNERS
SET client_min_messages = warning;

REVOKE ALL ON DATABASE sampan FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- A large object is in no schema: whoever may make one fills the disk of all.
REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) FROM PUBLIC;

CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public;

CREATE TEMPORARY TABLE wanted AS
SELECT key AS service, key AS role, value AS password FROM json_each_text(:'roles')
UNION ALL SELECT key, key || '_owner', value FROM json_each_text(:'owners');

SELECT format('CREATE ROLE %I LOGIN', role) FROM wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD %L',
    role, password) FROM wanted \gexec

SELECT format('GRANT CONNECT ON DATABASE sampan TO %I', role) FROM wanted \gexec
SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, role) FROM wanted
WHERE role <> service \gexec
SELECT format('ALTER ROLE %I IN DATABASE sampan SET search_path = %I, public', role, service) FROM wanted \gexec

-- A schema from before there were owners is handed over whole. The role that served from it keeps what it did to rows
-- until the next `migrate` says what it may, so that a version that still serves goes on.
DO $$
DECLARE v_service text;
BEGIN
    FOR v_service IN SELECT service FROM wanted WHERE role = service LOOP
        IF EXISTS (
            SELECT FROM pg_shdepend WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
              AND refobjid = v_service::regrole
              AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        ) THEN
            EXECUTE format('REASSIGN OWNED BY %I TO %I', v_service, v_service || '_owner');
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %1$I', v_service);
            EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %1$I TO %1$I', v_service);
        END IF;
    END LOOP;
END $$;

SELECT format('GRANT USAGE ON SCHEMA %1$I TO %1$I', service) FROM wanted WHERE role = service \gexec
SELECT format('REVOKE CREATE ON SCHEMA %1$I FROM %1$I', service) FROM wanted WHERE role = service \gexec

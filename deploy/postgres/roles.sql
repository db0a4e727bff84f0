-- One role and one schema per service; a role can touch its own schema and nothing else.
-- Run by psql as administrator in the database `sampan`, again and again: it changes only what differs.
-- SAMPAN_ROLES in the environment is JSON: {"auth": "password", …}.
\set ON_ERROR_STOP on
\getenv roles SAMPAN_ROLES
SET client_min_messages = warning;

REVOKE ALL ON DATABASE sampan FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public;

SELECT format('CREATE ROLE %I LOGIN', key)
FROM json_each_text(:'roles')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = key) \gexec

SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', key, value)
FROM json_each_text(:'roles') \gexec

SELECT format('GRANT CONNECT ON DATABASE sampan TO %I', key) FROM json_each_text(:'roles') \gexec
SELECT format('CREATE SCHEMA IF NOT EXISTS %1$I AUTHORIZATION %1$I', key) FROM json_each_text(:'roles') \gexec
SELECT format('ALTER ROLE %1$I IN DATABASE sampan SET search_path = %1$I, public', key)
FROM json_each_text(:'roles') \gexec

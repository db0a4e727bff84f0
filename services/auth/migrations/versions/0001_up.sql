-- AUTH-n are the invariants named in src/auth/domain.
CREATE TABLE auth.user_account (
    id                 uuid PRIMARY KEY,
    email              text,
    email_verified_at  timestamptz,
    phone_e164         text,
    phone_verified_at  timestamptz,
    username           text,
    name               text NOT NULL,
    country            text NOT NULL CHECK (country IN ('TH', 'ID', 'MY', 'VN', 'SG', 'PH')),
    kyc_tier           smallint NOT NULL DEFAULT 1 CHECK (kyc_tier BETWEEN 1 AND 3),
    roles              text[] NOT NULL,
    locale             text NOT NULL,
    time_zone          text NOT NULL,
    show_presence_to   text NOT NULL CHECK (show_presence_to IN ('everyone', 'friends', 'nobody')),
    show_profile_to    text NOT NULL CHECK (show_profile_to IN ('everyone', 'friends', 'nobody')),
    findable_by_email  boolean NOT NULL,
    findable_by_phone  boolean NOT NULL,
    password_hash      text,
    token_version      integer NOT NULL CHECK (token_version >= 0),
    version            bigint NOT NULL CHECK (version >= 1),
    registered_at      timestamptz NOT NULL,
    deleted_at         timestamptz,
    CONSTRAINT auth_1_reachable CHECK (email IS NOT NULL OR phone_e164 IS NOT NULL OR deleted_at IS NOT NULL),
    CONSTRAINT auth_2_name_length CHECK (char_length(name) BETWEEN 2 AND 100),
    CONSTRAINT user_account_keeps_user_role CHECK ('user' = ANY (roles)),
    CONSTRAINT user_account_email_folded CHECK (email = lower(email))
)
-- ;;
CREATE UNIQUE INDEX user_account_email ON auth.user_account (email) WHERE deleted_at IS NULL
-- ;;
CREATE UNIQUE INDEX user_account_phone ON auth.user_account (phone_e164) WHERE deleted_at IS NULL
-- ;;
CREATE UNIQUE INDEX user_account_username ON auth.user_account (username) WHERE deleted_at IS NULL
-- ;;
CREATE TABLE auth.password_history (
    user_id        uuid NOT NULL REFERENCES auth.user_account (id),
    changed_at     timestamptz NOT NULL,
    password_hash  text NOT NULL,
    PRIMARY KEY (user_id, changed_at)
)
-- ;;
CREATE TABLE auth.session (
    id                       uuid PRIMARY KEY,
    user_id                  uuid NOT NULL REFERENCES auth.user_account (id),
    method                   text NOT NULL,
    device_name              text NOT NULL CHECK (char_length(device_name) <= 100),
    ip                       inet,
    token_version            integer NOT NULL,
    started_at               timestamptz NOT NULL,
    expires_at               timestamptz NOT NULL,
    generation               integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
    refresh_hash             bytea NOT NULL CHECK (octet_length(refresh_hash) = 32),
    rotated_at               timestamptz NOT NULL,
    rotated_before_at        timestamptz NOT NULL,
    revoked_at               timestamptz,
    revocation_reason        text,
    revocation_announced_at  timestamptz,
    CONSTRAINT session_revocation_has_reason CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
) WITH (fillfactor = 80)
-- ;;
CREATE INDEX session_of_user ON auth.session (user_id, started_at DESC, id DESC) WHERE revoked_at IS NULL
-- ;;
CREATE INDEX session_unannounced ON auth.session (revoked_at)
    WHERE revoked_at IS NOT NULL AND revocation_announced_at IS NULL
-- ;;
CREATE INDEX session_revoked ON auth.session (revoked_at) WHERE revoked_at IS NOT NULL
-- ;;
CREATE INDEX session_expiry ON auth.session (expires_at)
-- ;;
CREATE TABLE auth.one_time_code (
    id                uuid PRIMARY KEY,
    purpose           text NOT NULL,
    channel           text NOT NULL,
    destination_hash  bytea NOT NULL,
    user_id           uuid,
    code_hash         bytea NOT NULL,
    guesses           smallint NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    consumed_at       timestamptz,
    CONSTRAINT auth_6_guesses CHECK (guesses BETWEEN 0 AND 5),
    CONSTRAINT auth_7_lifetime CHECK (expires_at <= created_at + interval '10 minutes')
)
-- ;;
CREATE INDEX one_time_code_expiry ON auth.one_time_code (expires_at)
-- ;;
CREATE TABLE auth.signing_key (
    kid              text PRIMARY KEY,
    public_jwk       jsonb NOT NULL,
    private_sealed   bytea NOT NULL,
    created_at       timestamptz NOT NULL,
    signs_from       timestamptz NOT NULL,
    published_until  timestamptz
)
-- ;;
CREATE TABLE auth.login_attempt (
    at            timestamptz NOT NULL,
    id            uuid NOT NULL,
    account_hash  bytea NOT NULL,
    user_id       uuid,
    method        text NOT NULL,
    outcome       text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'delayed', 'pending')),
    ip            inet,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at)
-- ;;
CREATE INDEX login_attempt_account ON auth.login_attempt (account_hash, at DESC)
-- ;;
CREATE TABLE auth.login_attempt_other PARTITION OF auth.login_attempt DEFAULT
-- ;;
CREATE TABLE auth.security_event (
    at          timestamptz NOT NULL,
    id          uuid NOT NULL,
    act         text NOT NULL,
    user_id     uuid,
    actor_id    uuid,
    session_id  uuid,
    ip          inet,
    detail      jsonb NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at)
-- ;;
CREATE INDEX security_event_user ON auth.security_event (user_id, at DESC)
-- ;;
CREATE TABLE auth.security_event_other PARTITION OF auth.security_event DEFAULT
-- ;;
CREATE FUNCTION auth.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END $$
-- ;;
CREATE TRIGGER security_event_append_only BEFORE UPDATE OR DELETE ON auth.security_event
    FOR EACH ROW EXECUTE FUNCTION auth.refuse_rewriting()
-- ;;
CREATE FUNCTION auth.ensure_months(parent text, ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', now() AT TIME ZONE 'UTC');
BEGIN
    FOR i IN 0..ahead LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS auth.%I PARTITION OF auth.%I FOR VALUES FROM (%L) TO (%L)',
            parent || '_' || to_char(month, 'YYYY_MM'), parent,
            month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00'
        );
        month := month + interval '1 month';
    END LOOP;
END $$
-- ;;
CREATE FUNCTION auth.drop_months(parent text, kept integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    oldest text := to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => kept), 'YYYY_MM');
    child text;
    dropped integer := 0;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = ('auth.' || quote_ident(parent))::regclass
          AND c.relname ~ ('^' || parent || '_\d{4}_\d{2}$') AND right(c.relname, 7) < oldest
    LOOP
        EXECUTE format('DROP TABLE auth.%I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$
-- ;;
SELECT auth.ensure_months('login_attempt', 2), auth.ensure_months('security_event', 2)
-- ;;
ALTER TABLE auth.user_account ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.user_account FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY own_account ON auth.user_account
    USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', id::text))
-- ;;
ALTER TABLE auth.password_history ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.password_history FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY own_passwords ON auth.password_history
    USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text))
-- ;;
ALTER TABLE auth.session ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.session FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY own_sessions ON auth.session
    USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text))

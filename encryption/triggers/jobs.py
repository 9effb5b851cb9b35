"""What PostgreSQL itself refuses about jobs, passwords and re-keys: P2, P11 and P13 as SQL text.

Errors carry SQLSTATE 23514 and the name of the broken rule as their constraint.
"""

from accounts.triggers import Trigger
from encryption.triggers.trigger import WHOLE as _WHOLE
from encryption.triggers.trigger import row as _row

# Who may insert a re-key is the worker (or the owner): the web's role is bound by `encryption_decided`.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION encryption_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION encryption_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'this part of % is written once', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION encryption_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT has_table_privilege(current_user, 'encryption_rekey', 'INSERT') THEN
        RAISE EXCEPTION 'the encryption of a job changes by a decided request'
            USING ERRCODE = '23514', CONSTRAINT = 'job_encryption_by_request';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_new_job_is_plain() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.password_id IS NOT NULL OR NEW.full_next
            OR NEW.observed_fingerprint <> '' OR NEW.observed_at IS NOT NULL)
        AND NOT has_table_privilege(current_user, 'encryption_rekey', 'INSERT')
    THEN
        RAISE EXCEPTION 'a job is made without a password; a decided request activates one'
            USING ERRCODE = '23514', CONSTRAINT = 'job_encryption_by_request';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_job_stays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'deleted' AND NEW.state <> 'deleted' THEN
        RAISE EXCEPTION 'a deleted job is not taken up again'
            USING ERRCODE = '23514', CONSTRAINT = 'job_deleted_once';
    END IF;
    IF NEW.state = 'deleted' AND (OLD.password_id IS NOT NULL OR EXISTS (
        SELECT FROM encryption_restorepoint p
        WHERE p.job_id = OLD.id AND p.dropped_at IS NULL AND p.password_version_id IS NOT NULL))
    THEN
        RAISE EXCEPTION 'a job with encryption or encrypted restore points is not deleted without a request'
            USING ERRCODE = '23514', CONSTRAINT = 'encrypted_job_stays';
    END IF;
    IF NEW.repository_id <> OLD.repository_id AND (OLD.password_id IS NOT NULL OR EXISTS (
        SELECT FROM encryption_restorepoint p WHERE p.job_id = OLD.id AND p.dropped_at IS NULL))
    THEN
        RAISE EXCEPTION 'a job with encryption or restore points stays in its repository'
            USING ERRCODE = '23514', CONSTRAINT = 'job_stays_in_repository';
    END IF;
    IF (NEW.state = 'deleted' OR NEW.repository_id <> OLD.repository_id) AND EXISTS (
        SELECT FROM encryption_rekeyjob s WHERE s.job_id = OLD.id AND s.state IN ('queued', 'running'))
    THEN
        RAISE EXCEPTION 'a job stays as it is while an approved change of its encryption is carried out'
            USING ERRCODE = '23514', CONSTRAINT = 'job_under_rekey_stays';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_session_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- A file that a run names and does not record is cleared away by the worker: it alone names one.
    IF (NEW.state <> 'queued' OR NEW.fence <> 0 OR NEW.lease_until IS NOT NULL
            OR (NEW.kind = 'backup' AND NEW.restore_point IS NOT NULL))
        AND NOT has_table_privilege(current_user, 'encryption_rekey', 'INSERT')
    THEN
        RAISE EXCEPTION 'a session begins as a wish; what comes of it the worker writes'
            USING ERRCODE = '23514', CONSTRAINT = 'session_begins_queued';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_place_stays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM encryption_job j WHERE j.repository_id = OLD.id AND (j.password_id IS NOT NULL OR EXISTS (
            SELECT FROM encryption_restorepoint p WHERE p.job_id = j.id AND p.dropped_at IS NULL) OR EXISTS (
            SELECT FROM encryption_rekeyjob s WHERE s.job_id = j.id AND s.state IN ('queued', 'running'))))
    THEN
        RAISE EXCEPTION 'a repository with encryption or restore points stays where it is'
            USING ERRCODE = '23514', CONSTRAINT = 'used_repository_stays';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_version_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- A rotation of the master key seals the same values anew.
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NULL
        AND encryption_resealed(OLD.sealed_password, NEW.sealed_password)
        AND encryption_resealed(OLD.sealed_root, NEW.sealed_root)
    THEN
        RETURN NEW;
    END IF;
    -- The value of an adopted version may be proved later, once; one of Veeam's has no root here.
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NULL AND OLD.sealed_password IS NULL
        AND NEW.sealed_password IS NOT NULL AND (NEW.sealed_root IS NULL) = (OLD.kdf = '{}')
    THEN
        RETURN NEW;
    END IF;
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL
        OR NEW.sealed_password IS NOT NULL OR NEW.sealed_root IS NOT NULL
    THEN
        RAISE EXCEPTION 'a version is sealed once and erased once'
            USING ERRCODE = '23514', CONSTRAINT = 'version_sealed_once';
    END IF;
    IF EXISTS (
            SELECT FROM encryption_restorepoint p
            WHERE p.password_version_id = OLD.id AND p.dropped_at IS NULL)
        OR EXISTS (
            SELECT FROM encryption_rekey r JOIN encryption_rekeyjob s ON s.rekey_id = r.id
            WHERE r.version_id = OLD.id AND s.state IN ('queued', 'running'))
    THEN
        RAISE EXCEPTION 'a restore point or a re-key needs this version'
            USING ERRCODE = '23514', CONSTRAINT = 'needed_version_stays';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_version_judged() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- A value is judged when it is known: of a version that was adopted, in the statement that brings it.
    IF OLD.length <> 0 OR OLD.sealed_password IS NOT NULL OR NEW.sealed_password IS NULL THEN
        RAISE EXCEPTION 'this part of % is written once', TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_step_moves_on() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.fence < OLD.fence OR OLD.state IN ('succeeded', 'failed') THEN
        RAISE EXCEPTION 'a step that ended is not taken up again, and its fence only grows'
            USING ERRCODE = '23514', CONSTRAINT = 'step_moves_on';
    END IF;
    RETURN NEW;
END $$;
"""

_JOB, _SESSION, _POINT = "encryption_job", "encryption_jobsession", "encryption_restorepoint"
_REPOSITORY, _PASSWORD = "encryption_repository", "encryption_encryptionpassword"
_VERSION, _REKEY, _STEP = "encryption_passwordversion", "encryption_rekey", "encryption_rekeyjob"
_DRIFT, _ATTESTATION = "encryption_drift", "encryption_attestation"

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(_JOB, "job_made_plain", "BEFORE INSERT", _row("new_job_is_plain")),
    Trigger(
        _JOB,
        "job_encryption_decided",
        "BEFORE UPDATE",
        _row("decided", "password_id", "full_next", "observed_fingerprint", "observed_at"),
    ),
    Trigger(_JOB, "job_stays", "BEFORE UPDATE", _row("job_stays", "state", "repository_id")),
    Trigger(_JOB, "job_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_JOB, "jobs_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_REPOSITORY, "repository_stays", "BEFORE UPDATE", _row("place_stays", "location", "engine")),
    Trigger(_SESSION, "session_begins", "BEFORE INSERT", _row("session_begins")),
    Trigger(_SESSION, "session_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_SESSION, "sessions_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_POINT, "restore_point_fixed", "BEFORE UPDATE", _row("once", "id", "job_id", "created_at")),
    Trigger(_POINT, "restore_point_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_POINT, "restore_points_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_PASSWORD, "password_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_PASSWORD, "passwords_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _VERSION,
        "version_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "password_id", "number", "kdf", "request", "created_at"),
    ),
    Trigger(_VERSION, "version_judged", "BEFORE UPDATE", _row("version_judged", "strength", "length")),
    Trigger(
        _VERSION,
        "version_erased",
        "BEFORE UPDATE",
        _row("version_erased", "sealed_password", "sealed_root", "erased_at"),
    ),
    Trigger(_VERSION, "version_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_VERSION, "versions_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _REKEY,
        "rekey_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "request", "action", "scope", "version_id", '"order"', "created_at"),
    ),
    Trigger(_REKEY, "rekey_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_REKEY, "rekeys_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _STEP,
        "step_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "rekey_id", "job_id", "user_key", "old_fingerprint", "new_fingerprint"),
    ),
    Trigger(
        _STEP, "step_moves_on", "BEFORE UPDATE", _row("step_moves_on", "state", "fence", "proof", "ended_at")
    ),
    Trigger(_STEP, "step_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_STEP, "steps_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_DRIFT, "drift_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_DRIFT, "drifts_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_ATTESTATION, "attestation_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_ATTESTATION, "attestations_stay", "BEFORE TRUNCATE", _WHOLE),
)

# Apart: its column came later.
ASKERS: tuple[Trigger, ...] = (
    Trigger(_VERSION, "version_asker_fixed", "BEFORE UPDATE", _row("once", "asked_by")),
)

_WORKERS = f"{_VERSION}, {_REKEY}, {_STEP}, {_POINT}, {_DRIFT}, encryption_adoptedjob"

# The worker alone makes these and attestations; nobody rewrites an attestation.
REVOKES: tuple[str, ...] = (
    f"REVOKE INSERT, UPDATE, DELETE ON {_ATTESTATION}, {_WORKERS} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_SESSION}, {_PASSWORD} FROM veeamsec_web",
    f"REVOKE DELETE ON {_JOB} FROM veeamsec_web",
    "REVOKE UPDATE, DELETE ON encryption_repositoryadoption FROM veeamsec_web",
    # A keyset comes in force by a decided request, which the worker carries out.
    "REVOKE INSERT, UPDATE, DELETE ON encryption_keysetguard, encryption_recoveredkeys FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_ATTESTATION} FROM veeamsec_worker",
    f"REVOKE DELETE ON {_WORKERS}, {_SESSION}, {_PASSWORD}, {_JOB} FROM veeamsec_worker",
    "REVOKE DELETE ON encryption_repositoryadoption FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))
ASKERS_SQL = "\n".join(trigger.sql for trigger in ASKERS)

"""What PostgreSQL itself refuses about keysets, servers, cases and proofs, as SQL text.

Errors carry SQLSTATE 23514 and the name of the broken rule as their constraint.
"""

from accounts.triggers import Trigger
from accounts.triggers.trigger import each_row


def _row(function: str, *changed: str) -> str:
    return each_row(f"recovery_{function}", *changed)


FUNCTIONS = """
CREATE OR REPLACE FUNCTION recovery_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION recovery_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'this part of % is written once', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION recovery_keyset_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'deleted' OR (OLD.state = 'active' AND NEW.state = 'deleted') THEN
        RAISE EXCEPTION 'a keyset is deleted once, and never while it is active'
            USING ERRCODE = '23514', CONSTRAINT = 'keyset_deleted_inactive';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION recovery_proof_judged() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.found <> 'waiting' THEN
        RAISE EXCEPTION 'a proof is judged once'
            USING ERRCODE = '23514', CONSTRAINT = 'proof_judged_once';
    END IF;
    RETURN NEW;
END $$;
"""

_KEYSET, _SERVER, _CASE = "recovery_keyset", "recovery_backupserver", "recovery_recoverycase"
_RECORD, _PROOF, _SETTINGS = (
    "recovery_custodyrecord",
    "recovery_custodyproof",
    "recovery_lossprotection",
)
_WHOLE = "FOR EACH STATEMENT EXECUTE FUNCTION recovery_refuse()"

_FIRST: tuple[Trigger, ...] = (
    Trigger(
        _KEYSET,
        "keyset_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "suite", "public", "own", "imported", "enterprise", "created_at"),
    ),
    Trigger(_KEYSET, "keyset_stays", "BEFORE UPDATE", _row("keyset_stays", "state")),
    Trigger(_KEYSET, "keyset_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_KEYSET, "keysets_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _SERVER,
        "backup_server_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "kem", "sealing_key", "signing_key", "fingerprint", "own"),
    ),
    Trigger(_SERVER, "backup_server_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_SERVER, "backup_servers_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _CASE,
        "case_fixed",
        "BEFORE UPDATE",
        _row("once", '"row"', '"case"', "side", "created_by", "created_at"),
    ),
    Trigger(_CASE, "case_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_CASE, "cases_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _RECORD, "custody_fixed", "BEFORE UPDATE", _row("once", "id", "version_id", "request", "stated_at")
    ),
    Trigger(_RECORD, "custody_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_RECORD, "custodies_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _PROOF,
        "proof_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "record_id", "by_id", "person_id", "drill", "offered_at"),
    ),
    Trigger(_PROOF, "proof_judged", "BEFORE UPDATE", _row("proof_judged", "found", "judged_at")),
    Trigger(_PROOF, "proof_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_PROOF, "proofs_kept", "BEFORE TRUNCATE", _WHOLE),
)

_TASK = "recovery_enterprisetask"
_OF_TASKS: tuple[Trigger, ...] = (
    Trigger(
        _TASK,
        "enterprise_task_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "action", '"order"', "given", "request", "asked_by"),
    ),
    Trigger(_TASK, "enterprise_task_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_TASK, "enterprise_tasks_kept", "BEFORE TRUNCATE", _WHOLE),
)
_RELEASE = "recovery_release"
_OF_RELEASES: tuple[Trigger, ...] = (
    Trigger(
        _RELEASE,
        "release_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "version_id", "person_id", "request", "created_at", "expires_at"),
    ),
    Trigger(_RELEASE, "release_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_RELEASE, "releases_kept", "BEFORE TRUNCATE", _WHOLE),
)
OFFER_FUNCTION = """
CREATE OR REPLACE FUNCTION recovery_proof_offered() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a proof is offered unjudged'
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;
"""
_OF_OFFERS: tuple[Trigger, ...] = (
    Trigger(
        _PROOF,
        "proof_offered",
        "BEFORE INSERT",
        "FOR EACH ROW WHEN (NEW.found <> 'waiting') EXECUTE FUNCTION recovery_proof_offered()",
    ),
)
TRIGGERS = _FIRST + _OF_TASKS + _OF_RELEASES + _OF_OFFERS

TRIGGER_NAMES = frozenset((trigger.table, trigger.name) for trigger in TRIGGERS)

# The web offers: a case, a server's text, a proof. What comes of it the workers write.
REVOKES: tuple[str, ...] = (
    f"REVOKE INSERT, UPDATE, DELETE ON {_KEYSET}, {_SETTINGS} FROM veeamsec_web",
    # Whether keysets are made by themselves: each still waits for Security.
    f"GRANT UPDATE (automatic, automatic_by, retention_weeks, suite) ON {_SETTINGS} TO veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_SERVER}, {_CASE}, {_PROOF} FROM veeamsec_web",
    # A response is carried in through a page; whether it counts, the worker says.
    f"GRANT UPDATE (response) ON {_CASE} TO veeamsec_web",
    f"REVOKE DELETE ON {_RECORD} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_TASK} FROM veeamsec_web",
    # A custodian's page brings its key and takes what was sealed to it; it makes no release.
    f"REVOKE INSERT, UPDATE, DELETE ON {_RELEASE} FROM veeamsec_web",
    f"GRANT UPDATE (public_key, sealed, taken_at) ON {_RELEASE} TO veeamsec_web",
    f"REVOKE DELETE ON {_RELEASE} FROM veeamsec_worker",
    f"REVOKE DELETE ON {_KEYSET}, {_SERVER}, {_CASE}, {_RECORD}, {_PROOF} FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in _FIRST)))
RELEASES_SQL = "\n".join(trigger.sql for trigger in _OF_RELEASES)
TASKS_SQL = "\n".join(trigger.sql for trigger in _OF_TASKS)
OFFERS_SQL = "\n".join((OFFER_FUNCTION, *(trigger.sql for trigger in _OF_OFFERS)))

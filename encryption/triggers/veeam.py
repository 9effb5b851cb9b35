"""What Veeam servers are known to have, said and done: who may write it, P2 and P13."""

from accounts.triggers import Trigger
from encryption.triggers.trigger import WHOLE as _WHOLE
from encryption.triggers.trigger import row as _row

FUNCTIONS = """
CREATE OR REPLACE FUNCTION encryption_event_finds_its_server() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.server_id IS NOT NULL OR NEW.server_id IS NULL THEN
        RAISE EXCEPTION 'the server that an event came from is found once'
            USING ERRCODE = '23514', CONSTRAINT = 'event_finds_its_server_once';
    END IF;
    RETURN NEW;
END $$;
"""

_DRIFT = "encryption_drift"
_DIFFERENCE, _EVENT, _SERVER = "encryption_veeamdifference", "encryption_veeamevent", "encryption_veeamserver"
_RECONCILED, _LOOK, _ADOPTION = "encryption_reconciled", "encryption_veeamlook", "encryption_veeamadoption"
_OF_VEEAM = "encryption_veeamjob, encryption_veeampassword, encryption_veeamrepository"
# All of an event but its server, which may be known only later.
_OF_EVENT = (
    *("id", "number", "host", "happened_at", "received_at", "peer", "transport", "subject", "name"),
    *("user_name", "description", "fields", "digest"),
)

SERVERS: tuple[Trigger, ...] = (
    Trigger(
        _DRIFT,
        "drift_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "job_id", "password_id", "repository_id", "what", "found_at"),
    ),
    # The web may name a server and offer an account; what the worker found there it alone writes.
    Trigger(
        _SERVER,
        "veeam_server_decided",
        "BEFORE UPDATE",
        _row("decided", "repository_id", "sealed_secret", "vbr_id", "points_until", "imported_at"),
    ),
    Trigger(_DIFFERENCE, "veeam_difference_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_DIFFERENCE, "veeam_differences_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_EVENT, "veeam_event_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_EVENT, "veeam_event_fixed", "BEFORE UPDATE", _row("once", *_OF_EVENT)),
    Trigger(_EVENT, "veeam_event_found", "BEFORE UPDATE", _row("event_finds_its_server", "server_id")),
    Trigger(_EVENT, "veeam_events_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(
        _RECONCILED, "reconciled_fixed", "BEFORE UPDATE", _row("once", "id", "event_id", "difference_id")
    ),
    Trigger(_RECONCILED, "reconciled_kept", "BEFORE DELETE", _row("refuse")),
)

READINGS: tuple[Trigger, ...] = (
    Trigger(
        _SERVER,
        "veeam_server_read",
        "BEFORE UPDATE",
        _row(
            "decided",
            *("listed_at", "compared_at", "revision", "tls_version", "enforcement", "configuration_backup"),
            *("analyzer", "forwarding", "four_eyes", "error"),
        ),
    ),
)

REVOKES: tuple[str, ...] = (
    # What Veeam says, the worker reads; the receiver of events holds no key and writes as the web does.
    f"REVOKE INSERT, UPDATE, DELETE ON {_DIFFERENCE}, {_OF_VEEAM} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_EVENT} FROM veeamsec_web, veeamsec_worker",
    f"GRANT UPDATE (server_id) ON {_EVENT} TO veeamsec_worker",
    f"REVOKE UPDATE, DELETE ON {_DIFFERENCE} FROM veeamsec_worker",
    # Where something belongs the worker finds; the web writes who owns an exception, and their note.
    f"REVOKE INSERT, UPDATE, DELETE ON {_RECONCILED} FROM veeamsec_web",
    f"GRANT UPDATE (owner_id, note) ON {_RECONCILED} TO veeamsec_web",
    f"REVOKE DELETE ON {_SERVER}, {_OF_VEEAM}, {_RECONCILED}, {_ADOPTION} FROM veeamsec_worker",
    f"REVOKE DELETE ON {_SERVER} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_LOOK}, {_ADOPTION} FROM veeamsec_web",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in SERVERS)))
READINGS_SQL = "\n".join(trigger.sql for trigger in READINGS)

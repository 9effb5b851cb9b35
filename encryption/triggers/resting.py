"""What rests under a master key, and the rotation of that key: P11 and P13 as SQL text.

A worker that sealed under the former key and stores only after that key was retired is refused, and comes
again; so a count that found nothing stays true.
"""

from accounts.triggers import Trigger
from encryption.triggers.trigger import WHOLE as _WHOLE
from encryption.triggers.trigger import row as _row

_VERSION, _ROTATION = "encryption_passwordversion", "encryption_masterrotation"

# Every column that holds values sealed under the worker's master key.
SEALED: tuple[tuple[str, str], ...] = (
    (_VERSION, "sealed_password"),
    (_VERSION, "sealed_root"),
    ("encryption_recoveredkeys", "sealed"),
    ("encryption_veeamserver", "sealed_secret"),
    ("audit_forwarder", "sealed_secret"),
)

# A sealed value's first bytes are its form (0x11) and the id of its key.
_LEFT = "\n        OR ".join(
    f"EXISTS (SELECT FROM {table}"
    f" WHERE substr({column}, 1, 17) = '\\x11'::bytea || decode(NEW.former, 'hex'))"
    for table, column in SEALED
)

FUNCTIONS = """
CREATE OR REPLACE FUNCTION encryption_resealed(was bytea, now bytea) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT was IS NOT DISTINCT FROM now OR (
        was IS NOT NULL AND now IS NOT NULL AND length(was) = length(now)
        AND substr(was, 1, 1) = '\\x11'::bytea AND substr(now, 1, 1) = '\\x11'::bytea
        AND EXISTS (
            SELECT FROM encryption_masterrotation r WHERE r.process = 'worker' AND r.retired_at IS NULL
            AND r.former = encode(substr(was, 2, 16), 'hex') AND r.key = encode(substr(now, 2, 16), 'hex')))
$$;

CREATE OR REPLACE FUNCTION encryption_key_in_force() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    stored bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO stored USING NEW;
    IF EXISTS (
        SELECT FROM encryption_masterrotation r
        WHERE r.retired_at IS NOT NULL AND r.former = encode(substr(stored, 2, 16), 'hex'))
    THEN
        RAISE EXCEPTION 'this value rests under a master key that was replaced: seal it anew'
            USING ERRCODE = '23514', CONSTRAINT = 'sealed_under_the_key_in_force';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION encryption_former_unused() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.retired_at IS NOT NULL THEN
        RAISE EXCEPTION 'a key is retired once'
            USING ERRCODE = '23514', CONSTRAINT = 'key_retired_once';
    END IF;
    IF NEW.process = 'worker' AND (
        SOMETHING_UNDER_IT)
    THEN
        RAISE EXCEPTION 'something rests under the former key'
            USING ERRCODE = '23514', CONSTRAINT = 'former_key_unused';
    END IF;
    RETURN NEW;
END $$;
""".replace("SOMETHING_UNDER_IT", _LEFT)

TRIGGERS: tuple[Trigger, ...] = (
    *(
        Trigger(
            table,
            f"{column}_under_key_in_force",
            f"BEFORE INSERT OR UPDATE OF {column}",
            f"FOR EACH ROW EXECUTE FUNCTION encryption_key_in_force('{column}')",
        )
        for table, column in SEALED
    ),
    Trigger(
        _ROTATION,
        "rotation_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "process", "former", "key", "begun_at"),
    ),
    Trigger(_ROTATION, "rotation_retires", "BEFORE UPDATE", _row("former_unused", "retired_at")),
    Trigger(
        _ROTATION,
        "rotation_begins",
        "BEFORE INSERT",
        "FOR EACH ROW WHEN (NEW.retired_at IS NOT NULL) EXECUTE FUNCTION encryption_refuse()",
    ),
    Trigger(_ROTATION, "rotation_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_ROTATION, "rotations_kept", "BEFORE TRUNCATE", _WHOLE),
)

REVOKES: tuple[str, ...] = (
    f"REVOKE INSERT, UPDATE, DELETE ON {_ROTATION} FROM veeamsec_web",
    f"REVOKE DELETE ON {_ROTATION} FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))

"""What PostgreSQL itself refuses about the log, whoever asks: P12 and P13 as SQL text.

Errors carry SQLSTATE 23514 and the name of the broken rule as their constraint.
"""

FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION audit_entry_follows() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.sequence <> (SELECT coalesce(max(sequence) + 1, 0) FROM audit_entry) THEN
        RAISE EXCEPTION 'entries are numbered without a gap' USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    IF NEW.leaf_hash <> sha256('\\x00'::bytea || NEW.canonical) THEN
        RAISE EXCEPTION 'the leaf hash is not that of the entry'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_checkpoint_follows() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_checkpoint WHERE size > NEW.size)
        OR NOT EXISTS (SELECT FROM audit_entry WHERE sequence = NEW.size - 1)
    THEN
        RAISE EXCEPTION 'a checkpoint is of the log as it is' USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_name_is_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.name IS NOT NULL OR NEW.salt IS NOT NULL
        OR (NEW.id, NEW.entry_id, NEW.key) IS DISTINCT FROM (OLD.id, OLD.entry_id, OLD.key)
    THEN
        RAISE EXCEPTION 'a name is erased, never changed' USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""

_ENTRY, _NAME, _CHECKPOINT, _OUTBOX = "audit_entry", "audit_entryname", "audit_checkpoint", "audit_outbox"
_ALARM = "audit_alarm"
_REFUSE = "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"

_TRIGGERS = (
    (_ENTRY, "entry_follows", "BEFORE INSERT", "FOR EACH ROW EXECUTE FUNCTION audit_entry_follows()"),
    (_ENTRY, "entries_stay", "BEFORE UPDATE OR DELETE OR TRUNCATE", _REFUSE),
    (_NAME, "name_is_erased", "BEFORE UPDATE", "FOR EACH ROW EXECUTE FUNCTION audit_name_is_erased()"),
    (_NAME, "names_stay", "BEFORE DELETE OR TRUNCATE", _REFUSE),
    (
        _CHECKPOINT,
        "checkpoint_follows",
        "BEFORE INSERT",
        "FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_follows()",
    ),
    (_CHECKPOINT, "checkpoints_stay", "BEFORE UPDATE OR DELETE OR TRUNCATE", _REFUSE),
)

TRIGGERS = FUNCTIONS + "".join(
    f"DROP TRIGGER IF EXISTS {name} ON {table};\nCREATE TRIGGER {name} {when} ON {table} {does};\n"
    for table, name, when, does in _TRIGGERS
)
TRIGGER_NAMES = frozenset((table, name) for table, name, _, _ in _TRIGGERS)

# Nobody rewrites the log; the worker alone signs checkpoints; only the owner erases names.
REVOKES: tuple[str, ...] = (
    f"REVOKE UPDATE, DELETE, TRUNCATE ON {_ENTRY}, {_NAME}, {_CHECKPOINT} FROM veeamsec_web, veeamsec_worker",
    f"REVOKE INSERT ON {_CHECKPOINT} FROM veeamsec_web",
    # The web asks for work; that it was taken, done or may go after a month is the worker's to write.
    f"REVOKE UPDATE, DELETE ON {_OUTBOX} FROM veeamsec_web",
    # The web says where entries go; how far they came is the worker's to write.
    "REVOKE UPDATE, DELETE ON audit_forwarder FROM veeamsec_web",
    "REVOKE DELETE ON audit_forwarder FROM veeamsec_worker",
    "GRANT UPDATE (name, way, form, host, port, path, authority, certificate, offered_secret, with_names,"
    " only_alarms, active, changed_at) ON audit_forwarder TO veeamsec_web",
    # An alarm ends by being resolved.
    f"REVOKE DELETE ON {_ALARM} FROM veeamsec_web, veeamsec_worker",
)

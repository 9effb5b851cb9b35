"""What PostgreSQL itself refuses about assessments and findings, as SQL text.

Errors carry SQLSTATE 23514 and the name of the broken rule as their constraint.
"""

from accounts.triggers import Trigger

FUNCTIONS = """
CREATE OR REPLACE FUNCTION compliance_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;
"""
_ASSESSMENT, _FINDING = "compliance_assessment", "compliance_finding"
_REPORT, _SCHEDULE = "compliance_report", "compliance_reportschedule"
_ROW = "FOR EACH ROW EXECUTE FUNCTION compliance_refuse()"
_DONE = "FOR EACH ROW WHEN (OLD.done_at IS NOT NULL) EXECUTE FUNCTION compliance_refuse()"
_WHOLE = "FOR EACH STATEMENT EXECUTE FUNCTION compliance_refuse()"

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(_ASSESSMENT, "assessment_done_once", "BEFORE UPDATE", _DONE),
    Trigger(_ASSESSMENT, "assessment_kept", "BEFORE DELETE", _ROW),
    Trigger(_ASSESSMENT, "assessments_kept", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_FINDING, "finding_kept", "BEFORE UPDATE OR DELETE", _ROW),
    Trigger(_FINDING, "findings_kept", "BEFORE TRUNCATE", _WHOLE),
)

TRIGGER_NAMES = frozenset((trigger.table, trigger.name) for trigger in TRIGGERS)

# The web asks for a run or a report; what it finds, and the file, the worker writes.
REVOKES: tuple[str, ...] = (
    f"REVOKE UPDATE, DELETE ON {_ASSESSMENT} FROM veeamsec_web",
    f"REVOKE INSERT, UPDATE, DELETE ON {_FINDING} FROM veeamsec_web",
    f"REVOKE DELETE ON {_ASSESSMENT} FROM veeamsec_worker",
    f"REVOKE UPDATE, DELETE ON {_FINDING} FROM veeamsec_worker",
    f"REVOKE UPDATE, DELETE ON {_REPORT}, {_SCHEDULE} FROM veeamsec_web",
    f"GRANT UPDATE (ended_at) ON {_SCHEDULE} TO veeamsec_web",
    f"REVOKE DELETE ON {_REPORT}, {_SCHEDULE} FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))

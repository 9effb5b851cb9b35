"""What PostgreSQL itself refuses about requests and votes, whoever asks: P1, P5, P6, P7, P13 as SQL text."""

from accounts.triggers import Trigger

_REQUEST, _TARGET, _VOTE, _POLICY, _SUPPRESSION = (
    "approvals_approvalrequest",
    "approvals_requesttarget",
    "approvals_vote",
    "approvals_policy",
    "approvals_suppression",
)
# What the digest covers, or what the digest's meaning hangs on.
_FIXED = (
    "id",
    "number",
    "kind",
    "asker_id",
    "asker_person_id",
    "statement",
    "digest",
    "policy",
    "decide_by",
    "created_at",
)
_ONCE = ("execute_by", "rekey_id", "execution", "decided_at", "ended_at")

FUNCTIONS = """
CREATE OR REPLACE FUNCTION approvals_about_passwords(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT kind IN ('activate_encryption', 'change_password', 'deactivate_encryption', 'delete_password',
        'revert_drift', 'release_password')
$$;

CREATE OR REPLACE FUNCTION approvals_active_members() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(DISTINCT m.person_id)
        FROM accounts_securitymember m JOIN accounts_user u ON u.id = m.user_id
        WHERE m.until IS NULL AND u.is_active AND u.is_human
        AND (m.suspended_at IS NULL OR m.suspended_until <= clock_timestamp()));
END $$;

CREATE OR REPLACE FUNCTION approvals_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION approvals_starts_pending() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'pending' OR NEW.rekey_id IS NOT NULL OR NEW.execution IS NOT NULL
        OR NEW.execute_by IS NOT NULL OR NEW.decided_at IS NOT NULL OR NEW.ended_at IS NOT NULL
        OR NEW.digest <> encode(sha256(NEW.statement), 'hex')
    THEN
        RAISE EXCEPTION 'a request starts pending, with the digest of its statement'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    IF NOT EXISTS (
        SELECT FROM accounts_user u WHERE u.id = NEW.asker_id AND u.person_id = NEW.asker_person_id)
    THEN
        RAISE EXCEPTION 'a request is asked by the person of its account'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION approvals_one_way() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE consents integer;
BEGIN
    IF NOT (
        (OLD.state = 'pending' AND NEW.state IN ('approved', 'rejected', 'withdrawn', 'expired', 'stale'))
        OR (OLD.state = 'approved' AND NEW.state IN ('executed', 'failed', 'lapsed', 'stale'))
    ) THEN
        RAISE EXCEPTION 'a request does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    IF NEW.state = 'approved' THEN
        SELECT count(DISTINCT person_id) INTO consents FROM approvals_vote v
            WHERE v.request_id = NEW.id AND v.verdict = 'approve' AND v.digest = NEW.digest;
        IF consents < greatest(1, (NEW.policy ->> 'quorum')::integer) OR clock_timestamp() >= NEW.decide_by
            OR EXISTS (SELECT FROM approvals_vote v WHERE v.request_id = NEW.id AND v.verdict = 'reject')
        THEN
            RAISE EXCEPTION 'a request is approved by its quorum, in time'
                USING ERRCODE = '23514', CONSTRAINT = 'request_approved_by_quorum';
        END IF;
        IF approvals_about_passwords(NEW.kind) AND approvals_active_members() < 2 THEN
            RAISE EXCEPTION 'with fewer than two active members of Security nothing is approved'
                USING ERRCODE = '23514', CONSTRAINT = 'request_needs_two_members';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION approvals_written_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.execute_by IS NOT NULL AND NEW.execute_by IS DISTINCT FROM OLD.execute_by)
        OR (OLD.execution IS NOT NULL AND NEW.execution IS DISTINCT FROM OLD.execution)
        OR (OLD.rekey_id IS NOT NULL AND NEW.rekey_id IS DISTINCT FROM OLD.rekey_id)
        OR (OLD.decided_at IS NOT NULL AND NEW.decided_at IS DISTINCT FROM OLD.decided_at)
        OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
        OR (NEW.sealed_secret IS NOT NULL AND NEW.sealed_secret IS DISTINCT FROM OLD.sealed_secret)
    THEN
        RAISE EXCEPTION 'this part of a request is written once'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION approvals_closes_with_request() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.open OR EXISTS (
        SELECT FROM approvals_approvalrequest r
        WHERE r.id = NEW.request_id AND r.state IN ('pending', 'approved'))
    THEN
        RAISE EXCEPTION 'a target is let go when its request ends, and not taken up again'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION approvals_vote_is_sound() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM approvals_approvalrequest r JOIN accounts_user u ON u.id = NEW.voter_id
        WHERE r.id = NEW.request_id AND r.state = 'pending' AND r.digest = NEW.digest
        AND r.asker_person_id = NEW.asker_person_id
        AND u.person_id = NEW.person_id AND u.person_id <> r.asker_person_id
        AND u.is_active AND u.is_human AND clock_timestamp() < r.decide_by)
    THEN
        RAISE EXCEPTION 'a vote is one of another active person, in time, on the text of a pending request'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    IF EXISTS (
        SELECT FROM approvals_approvalrequest r WHERE r.id = NEW.request_id
        AND (convert_from(r.statement, 'UTF8')::jsonb -> 'change' -> 'subjects') ? NEW.person_id::text)
    THEN
        RAISE EXCEPTION 'whom a request is about does not decide on it'
            USING ERRCODE = '23514', CONSTRAINT = 'vote_not_of_the_subject';
    END IF;
    IF EXISTS (
        SELECT FROM approvals_approvalrequest r
        JOIN accounts_user asker ON asker.id = r.asker_id
        LEFT JOIN accounts_enrolmentlink l ON l.user_id = asker.id
        JOIN accounts_user maker ON maker.id IN (asker.created_by_id, l.issued_by_id)
        WHERE r.id = NEW.request_id AND maker.person_id = NEW.person_id)
    THEN
        RAISE EXCEPTION 'whoever made the account that asks, or a link to it, does not decide'
            USING ERRCODE = '23514', CONSTRAINT = 'vote_not_of_the_maker';
    END IF;
    IF NEW.capacity = 'administrator' AND EXISTS (
        SELECT FROM approvals_approvalrequest r WHERE r.id = NEW.request_id
        AND NOT (convert_from(r.statement, 'UTF8')::jsonb -> 'administrators') ? NEW.voter_id::text)
    THEN
        RAISE EXCEPTION 'other administrators are named to decide here'
            USING ERRCODE = '23514', CONSTRAINT = 'vote_of_the_named';
    END IF;
    IF NEW.capacity <> 'security' AND NOT EXISTS (
        SELECT FROM approvals_approvalrequest r
        WHERE r.id = NEW.request_id AND approvals_about_passwords(r.kind) AND r.kind <> 'release_password')
    THEN
        RAISE EXCEPTION 'Security alone decides on people, rules and releases'
            USING ERRCODE = '23514', CONSTRAINT = 'vote_of_security_alone';
    END IF;
    RETURN NEW;
END $$;
"""


def _row(function: str, *changed: str) -> str:
    # Django writes every column of a row back: only a value that differs counts.
    differs = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in changed)
    return f"FOR EACH ROW {f'WHEN ({differs}) ' if changed else ''}EXECUTE FUNCTION approvals_{function}()"


_WHOLE = "FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse()"

_FIRST: tuple[Trigger, ...] = (
    Trigger(_REQUEST, "request_starts_pending", "BEFORE INSERT", _row("starts_pending")),
    Trigger(_REQUEST, "request_fixed", "BEFORE UPDATE", _row("refuse", *_FIXED)),
    Trigger(_REQUEST, "request_written_once", "BEFORE UPDATE", _row("written_once", *_ONCE, "sealed_secret")),
    Trigger(_REQUEST, "request_one_way", "BEFORE UPDATE", _row("one_way", "state")),
    Trigger(_REQUEST, "request_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_REQUEST, "requests_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_TARGET, "target_fixed", "BEFORE UPDATE", _row("refuse", "id", "request_id", "type", "ref")),
    Trigger(_TARGET, "target_closes_with_request", "BEFORE UPDATE", _row("closes_with_request", "open")),
    Trigger(_TARGET, "target_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_TARGET, "targets_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_VOTE, "vote_sound", "BEFORE INSERT", _row("vote_is_sound")),
    Trigger(_VOTE, "vote_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_VOTE, "votes_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_POLICY, "policy_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_POLICY, "policies_stay", "BEFORE TRUNCATE", _WHOLE),
)

_OF_SUPPRESSIONS: tuple[Trigger, ...] = (
    Trigger(_SUPPRESSION, "suppression_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_SUPPRESSION, "suppressions_stay", "BEFORE TRUNCATE", _WHOLE),
)
PROOF_FUNCTION = """
CREATE OR REPLACE FUNCTION approvals_proof_judged() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR OLD.found <> 'waiting' THEN
        RAISE EXCEPTION 'a proof is offered unjudged, and judged once'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""
_PROOF = "approvals_earlyproof"
_OF_PROOFS: tuple[Trigger, ...] = (
    Trigger(
        _PROOF,
        "early_proof_offered",
        "BEFORE INSERT",
        "FOR EACH ROW WHEN (NEW.found <> 'waiting') EXECUTE FUNCTION approvals_proof_judged()",
    ),
    Trigger(
        _PROOF,
        "early_proof_fixed",
        "BEFORE UPDATE",
        _row("refuse", "id", "request_id", "by_id", "person_id", "offered_at"),
    ),
    Trigger(_PROOF, "early_proof_judged", "BEFORE UPDATE", _row("proof_judged", "found", "judged_at")),
    Trigger(_PROOF, "early_proof_kept", "BEFORE DELETE", _row("refuse")),
    Trigger(_PROOF, "early_proofs_kept", "BEFORE TRUNCATE", _WHOLE),
)

TRIGGERS = _FIRST + _OF_SUPPRESSIONS + _OF_PROOFS

TRIGGER_NAMES = frozenset((trigger.table, trigger.name) for trigger in TRIGGERS)

# The worker does not vote and does not ask; the web process makes no rules.
REVOKES: tuple[str, ...] = (
    f"REVOKE UPDATE, DELETE ON {_VOTE} FROM veeamsec_web",
    f"REVOKE INSERT, UPDATE, DELETE ON {_VOTE} FROM veeamsec_worker",
    # Which re-key it became, and what was counted for it, is the worker's to write.
    f"REVOKE UPDATE ON {_REQUEST} FROM veeamsec_web",
    f"GRANT UPDATE (state, outcome, execute_by, decided_at, ended_at, sealed_secret)"
    f" ON {_REQUEST} TO veeamsec_web",
    f"REVOKE DELETE ON {_REQUEST}, {_TARGET} FROM veeamsec_web, veeamsec_worker",
    f"REVOKE INSERT ON {_REQUEST}, {_TARGET} FROM veeamsec_worker",
    f"REVOKE INSERT, UPDATE, DELETE ON {_POLICY} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_POLICY} FROM veeamsec_worker",
    f"REVOKE INSERT, UPDATE, DELETE ON {_SUPPRESSION} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_SUPPRESSION} FROM veeamsec_worker",
    # What a custodian typed the web takes in; what it is, the worker says.
    f"REVOKE UPDATE, DELETE ON {_PROOF} FROM veeamsec_web",
    f"REVOKE INSERT, DELETE ON {_PROOF} FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in _FIRST)))
SUPPRESSIONS_SQL = "\n".join(trigger.sql for trigger in _OF_SUPPRESSIONS)
PROOFS_SQL = "\n".join((PROOF_FUNCTION, *(trigger.sql for trigger in _OF_PROOFS)))

"""Seats, roles, accounts and rosters: P3, P4, P13 and P14.

Functions that count or lock run as the owner, so that a role without rights on a table is bound all the same.
Errors carry SQLSTATE 23514 and the name of the broken rule as their constraint.
"""

from accounts.triggers.trigger import Trigger, whole_of
from accounts.triggers.trigger import row as _row

# The search path names pg_temp last: else a session's own temporary table would be counted in place of ours.
# READ COMMITTED, because there a statement after the lock sees what the lock's last holder wrote; a snapshot
# taken before would count a seat that has gone.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION accounts_lock_security_role() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE sealed timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'changes of the Security Role need READ COMMITTED'
            USING ERRCODE = '23514', CONSTRAINT = 'security_role_read_committed';
    END IF;
    SELECT sealed_at INTO sealed FROM accounts_securityrole WHERE id = 1 FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the row of the Security Role is missing'
            USING ERRCODE = '23514', CONSTRAINT = 'security_role_row';
    END IF;
    RETURN sealed;
END $$;

CREATE OR REPLACE FUNCTION accounts_two_seats() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE seats integer;
BEGIN
    IF accounts_lock_security_role() IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT count(DISTINCT m.person_id) INTO seats
        FROM accounts_securitymember m JOIN accounts_user u ON u.id = m.user_id
        WHERE m.until IS NULL AND u.is_active AND u.is_human;
    IF seats < 2 THEN
        RAISE EXCEPTION 'the Security Role would have % seat(s), never fewer than two', seats
            USING ERRCODE = '23514', CONSTRAINT = 'security_role_two_seats';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION accounts_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION accounts_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this part of % is written once', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
END $$;

CREATE OR REPLACE FUNCTION accounts_sealed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sealed_at IS NOT NULL OR NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'the Security Role is sealed once' USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.until IS NOT NULL AND (NEW.until IS NULL OR NEW.until > OLD.until) THEN
        RAISE EXCEPTION 'what has an end in % is not taken up again', TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_seat_is_sound() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_lock_security_role();
    IF NOT EXISTS (
        SELECT FROM accounts_user u
        WHERE u.id = NEW.user_id AND u.person_id = NEW.person_id AND u.is_human)
    THEN
        RAISE EXCEPTION 'a seat belongs to the person of its account, a human one'
            USING ERRCODE = '23514', CONSTRAINT = 'security_seat_of_a_person';
    END IF;
    IF NEW.until IS NULL AND EXISTS (
        SELECT FROM accounts_rolegrant g JOIN accounts_user u ON u.id = g.user_id
        WHERE u.person_id = NEW.person_id AND g.role IN ('operator', 'administrator', 'enterprise', 'service')
        AND (g.until IS NULL OR g.until > clock_timestamp()))
    THEN
        RAISE EXCEPTION 'who works in the backup team takes no seat of the Security Role'
            USING ERRCODE = '23514', CONSTRAINT = 'security_excludes_roles';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_grant_is_sound() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_lock_security_role();
    IF NEW.role IN ('operator', 'administrator', 'enterprise', 'service') AND EXISTS (
        SELECT FROM accounts_securitymember m JOIN accounts_user u ON u.person_id = m.person_id
        WHERE u.id = NEW.user_id AND m.until IS NULL)
    THEN
        RAISE EXCEPTION 'who holds a seat of the Security Role takes no role of the backup team'
            USING ERRCODE = '23514', CONSTRAINT = 'security_excludes_roles';
    END IF;
    IF NEW.role NOT IN ('operator', 'administrator', 'enterprise', 'auditor', 'service') THEN
        RAISE EXCEPTION 'no such role' USING ERRCODE = '23514', CONSTRAINT = 'known_role';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_grant_is_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (CASE WHEN TG_OP = 'INSERT' THEN NEW.role ELSE OLD.role END) IN ('administrator', 'enterprise')
        AND EXISTS (SELECT FROM accounts_securityrole WHERE sealed_at IS NOT NULL)
        AND NOT has_table_privilege(current_user, 'accounts_securitymember', 'INSERT')
    THEN
        RAISE EXCEPTION 'an administrator is made and unmade by a decided request'
            USING ERRCODE = '23514', CONSTRAINT = 'grant_by_request';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_address_is_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- The worker alone seats Security, and alone sets the address that a decided reset named.
    IF NOT has_table_privilege(current_user, 'accounts_securitymember', 'INSERT') THEN
        RAISE EXCEPTION 'the address that a link goes to is set by a decided request'
            USING ERRCODE = '23514', CONSTRAINT = 'address_by_request';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_next_roster() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM accounts_roster) THEN
        RAISE EXCEPTION 'rosters are numbered without a gap'
            USING ERRCODE = '23514', CONSTRAINT = 'next_roster';
    END IF;
    RETURN NEW;
END $$;
"""

_MEMBER, _USER, _ROLE = "accounts_securitymember", "accounts_user", "accounts_securityrole"
_GRANT, _ROSTER = "accounts_rolegrant", "accounts_roster"
_WHOLE = whole_of("refuse")

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(_MEMBER, "security_seat_sound", "BEFORE INSERT", _row("seat_is_sound")),
    Trigger(
        _MEMBER,
        "security_seat_fixed",
        "BEFORE UPDATE",
        _row("once", "id", "user_id", "person_id", "title", "since"),
    ),
    Trigger(_MEMBER, "security_seat_ends_once", "BEFORE UPDATE OF until", _row("ends_once", "until")),
    Trigger(_MEMBER, "security_seat_added_counts", "AFTER INSERT", _row("two_seats")),
    Trigger(_MEMBER, "security_seat_counts", "AFTER UPDATE OF until", _row("two_seats", "until")),
    Trigger(_MEMBER, "security_seat_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_MEMBER, "security_seats_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_USER, "user_active_counts", "AFTER UPDATE OF is_active", _row("two_seats", "is_active")),
    Trigger(_USER, "user_gone_counts", "AFTER DELETE", _row("two_seats")),
    Trigger(_USER, "user_is_whose", "BEFORE UPDATE", _row("once", "id", "person_id", "is_human")),
    Trigger(_USER, "user_address_decided", "BEFORE UPDATE", _row("address_is_decided", "email")),
    Trigger(_USER, "users_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_ROLE, "security_role_sealed_once", "BEFORE UPDATE", _row("sealed_once", "id", "sealed_at")),
    Trigger(_ROLE, "security_role_counts", "AFTER UPDATE OF sealed_at", _row("two_seats", "sealed_at")),
    Trigger(_ROLE, "security_role_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_ROLE, "security_roles_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_GRANT, "role_grant_sound", "BEFORE INSERT", _row("grant_is_sound")),
    Trigger(_GRANT, "role_grant_decided", "BEFORE INSERT OR UPDATE", _row("grant_is_decided")),
    Trigger(_GRANT, "role_grant_fixed", "BEFORE UPDATE", _row("once", "id", "user_id", "role", "since")),
    Trigger(_GRANT, "role_grant_ends_once", "BEFORE UPDATE OF until", _row("ends_once", "until")),
    Trigger(_GRANT, "role_grant_stays", "BEFORE DELETE", _row("refuse")),
    Trigger(_GRANT, "role_grants_stay", "BEFORE TRUNCATE", _WHOLE),
    Trigger(_ROSTER, "roster_follows", "BEFORE INSERT", _row("next_roster")),
    Trigger(_ROSTER, "roster_stays", "BEFORE UPDATE OR DELETE", _row("refuse")),
    Trigger(_ROSTER, "rosters_stay", "BEFORE TRUNCATE", _WHOLE),
)

# The worker alone seats Security and signs rosters; nobody rewrites either.
REVOKES: tuple[str, ...] = (
    f"REVOKE INSERT, UPDATE, DELETE ON {_ROSTER} FROM veeamsec_web",
    f"REVOKE UPDATE, DELETE ON {_ROSTER} FROM veeamsec_worker",
    f"REVOKE INSERT, UPDATE, DELETE ON {_MEMBER} FROM veeamsec_web",
    f"REVOKE DELETE ON {_MEMBER} FROM veeamsec_worker",
    f"REVOKE DELETE ON {_GRANT} FROM veeamsec_web, veeamsec_worker",
    f"REVOKE INSERT, DELETE ON {_ROLE} FROM veeamsec_web, veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))

"""Suspensions and the passkeys that enter the roster: P3, P13.

A seat's two columns follow its suspensions here, so that nothing else has a right on them.
"""

from accounts.triggers.trigger import Trigger, row, whole_of

FUNCTIONS = """
CREATE OR REPLACE FUNCTION accounts_seat_acts(seat uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM accounts_securitymember m JOIN accounts_user u ON u.id = m.user_id
        WHERE m.id = seat AND m.until IS NULL AND u.is_active AND u.is_human
        AND (m.suspended_at IS NULL OR m.suspended_until <= clock_timestamp()))
$$;

CREATE OR REPLACE FUNCTION accounts_suspension_is_sound() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_lock_security_role();
    IF NEW.suspender_id = NEW.member_id OR NOT accounts_seat_acts(NEW.suspender_id)
        OR NOT accounts_seat_acts(NEW.member_id)
    THEN
        RAISE EXCEPTION 'an active member suspends another active one'
            USING ERRCODE = '23514', CONSTRAINT = 'suspension_of_another';
    END IF;
    IF NEW.ends_at IS NULL OR NEW.ended_at IS NOT NULL
        OR NEW.ends_at > clock_timestamp() + interval '73 hours'
    THEN
        RAISE EXCEPTION 'a suspension begins unconfirmed and ends within 72 hours'
            USING ERRCODE = '23514', CONSTRAINT = 'suspension_ends';
    END IF;
    IF EXISTS (
        SELECT FROM accounts_suspension s JOIN accounts_securitymember m ON m.id = s.member_id
        WHERE s.suspender_id = NEW.suspender_id AND s.ended_at IS NULL AND m.until IS NULL
        AND (s.ends_at IS NULL OR s.ends_at > clock_timestamp()))
    THEN
        RAISE EXCEPTION 'a member has one open suspension'
            USING ERRCODE = '23514', CONSTRAINT = 'one_suspension_a_suspender';
    END IF;
    IF EXISTS (
        SELECT FROM accounts_suspension s
        WHERE s.suspender_id = NEW.suspender_id AND s.member_id = NEW.member_id
        AND s.began_at > clock_timestamp() - interval '30 days')
    THEN
        RAISE EXCEPTION 'nobody suspends the same member twice in 30 days'
            USING ERRCODE = '23514', CONSTRAINT = 'not_twice_in_30_days';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_suspension_moves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_lock_security_role();
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'a suspension ends once' USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    IF NEW.ends_at IS DISTINCT FROM OLD.ends_at AND (NEW.ends_at IS NOT NULL OR NOT EXISTS (
        SELECT FROM accounts_suspensionvoice v WHERE v.suspension_id = NEW.id AND v.says = 'confirm'))
    THEN
        RAISE EXCEPTION 'a suspension lasts longer only by a third member'
            USING ERRCODE = '23514', CONSTRAINT = 'suspension_confirmed_by_a_third';
    END IF;
    -- An end at or after its own end changes nothing; an earlier one needs two members, or no seat any more.
    IF NEW.ended_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ended_at < NEW.ends_at)
        AND (SELECT count(DISTINCT v.seat_id) FROM accounts_suspensionvoice v
            WHERE v.suspension_id = NEW.id AND v.says = 'lift') < 2
        AND EXISTS (SELECT FROM accounts_securitymember m WHERE m.id = NEW.member_id AND m.until IS NULL)
    THEN
        RAISE EXCEPTION 'two members lift a suspension'
            USING ERRCODE = '23514', CONSTRAINT = 'suspension_lifted_by_two';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION accounts_seat_follows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- The one that holds longest: the end of another, noted late, takes no sign from the seat.
    UPDATE accounts_securitymember SET (suspended_at, suspended_until) = (
        SELECT s.began_at, least(s.ends_at, s.ended_at) FROM accounts_suspension s
        WHERE s.member_id = NEW.member_id AND (s.ended_at IS NULL OR s.ended_at > clock_timestamp())
        ORDER BY coalesce(least(s.ends_at, s.ended_at), 'infinity') DESC, s.began_at DESC LIMIT 1)
        WHERE id = NEW.member_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION accounts_voice_is_sound() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_lock_security_role();
    IF NOT EXISTS (
        SELECT FROM accounts_suspension s WHERE s.id = NEW.suspension_id AND s.ended_at IS NULL
        AND (s.ends_at IS NULL OR s.ends_at > clock_timestamp())
        AND NEW.seat_id <> s.member_id AND accounts_seat_acts(NEW.seat_id)
        AND (NEW.says = 'lift' OR (NEW.says = 'confirm' AND NEW.seat_id <> s.suspender_id)))
    THEN
        RAISE EXCEPTION 'another active member speaks on an open suspension'
            USING ERRCODE = '23514', CONSTRAINT = 'voice_of_another';
    END IF;
    RETURN NEW;
END $$;
"""

_SUSPENSION, _VOICE = "accounts_suspension", "accounts_suspensionvoice"
_ENROLMENT = "accounts_credentialenrolment"
_OFFERED = ("id", "user_id", "credential", "public_key", "proof", "created_at")
_FIXED = ("id", "member_id", "suspender_id", "reason", "proof", "began_at")

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(_SUSPENSION, "suspension_sound", "BEFORE INSERT", row("suspension_is_sound")),
    Trigger(_SUSPENSION, "suspension_fixed", "BEFORE UPDATE", row("once", *_FIXED)),
    Trigger(_SUSPENSION, "suspension_moves", "BEFORE UPDATE", row("suspension_moves", "ends_at", "ended_at")),
    Trigger(_SUSPENSION, "suspension_shows", "AFTER INSERT OR UPDATE", row("seat_follows")),
    Trigger(_SUSPENSION, "suspension_stays", "BEFORE DELETE", row("refuse")),
    Trigger(_SUSPENSION, "suspensions_stay", "BEFORE TRUNCATE", whole_of("refuse")),
    Trigger(_VOICE, "voice_sound", "BEFORE INSERT", row("voice_is_sound")),
    Trigger(_VOICE, "voice_stays", "BEFORE UPDATE OR DELETE", row("refuse")),
    Trigger(_VOICE, "voices_stay", "BEFORE TRUNCATE", whole_of("refuse")),
    Trigger(_ENROLMENT, "credential_enrolment_stays", "BEFORE DELETE", row("refuse")),
    Trigger(_ENROLMENT, "credential_enrolment_fixed", "BEFORE UPDATE", row("once", *_OFFERED)),
    Trigger(_ENROLMENT, "credential_enrolments_stay", "BEFORE TRUNCATE", whole_of("refuse")),
)

# Members act in their browser; the worker only ends what time has ended.
REVOKES: tuple[str, ...] = (
    f"REVOKE DELETE ON {_SUSPENSION} FROM veeamsec_web, veeamsec_worker",
    f"REVOKE UPDATE, DELETE ON {_VOICE}, {_ENROLMENT} FROM veeamsec_web, veeamsec_worker",
    f"GRANT UPDATE (state, reason) ON {_ENROLMENT} TO veeamsec_worker",
    f"REVOKE INSERT ON {_SUSPENSION}, {_VOICE}, {_ENROLMENT} FROM veeamsec_worker",
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))

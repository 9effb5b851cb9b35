"""Where an account comes from, and what became of a passkey that was offered: P1 and P14.

Apart from the other triggers, for these columns came later.
"""

from accounts.triggers.trigger import Trigger, row, whole_of

FUNCTIONS = """
CREATE OR REPLACE FUNCTION accounts_judged_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.state <> 'waiting') OR (TG_OP = 'UPDATE' AND OLD.state <> 'waiting') THEN
        RAISE EXCEPTION 'a passkey that is offered waits, and is judged once'
            USING ERRCODE = '23514', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""

_USER, _LINK, _ENROLMENT = "accounts_user", "accounts_enrolmentlink", "accounts_credentialenrolment"
_JUDGED = ("state", "reason")
_GIVEN = ("id", "token_hash", "seat", "user_id", "title", "issued_by_id")

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(_USER, "user_made_by_whom", "BEFORE UPDATE", row("once", "created_by_id")),
    Trigger(_LINK, "enrolment_link_fixed", "BEFORE UPDATE", row("once", *_GIVEN)),
    Trigger(_LINK, "enrolment_link_stays", "BEFORE DELETE", row("refuse")),
    Trigger(_LINK, "enrolment_links_stay", "BEFORE TRUNCATE", whole_of("refuse")),
    Trigger(_ENROLMENT, "credential_enrolment_waits", "BEFORE INSERT", row("judged_once")),
    Trigger(_ENROLMENT, "credential_enrolment_judged", "BEFORE UPDATE", row("judged_once", *_JUDGED)),
)

SQL = "\n".join((FUNCTIONS, *(trigger.sql for trigger in TRIGGERS)))

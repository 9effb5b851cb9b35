"""The worker's part of accounts."""

from uuid import UUID

from accounts.services import alarms, notices, passkeys, security_role, suspensions, users
from audit import queue
from audit.queue import Task


@queue.worker(Task.SIGN_ROSTER)
def sign_roster(ref: UUID) -> None:
    """Sign roster 1 and seal the Security Role, when it is time."""
    security_role.sign_roster()


@queue.worker(Task.SEND_NOTICE)
def send_notice(notice_id: UUID) -> None:
    """Mail what a person is told."""
    notices.send(notice_id)


@queue.beat(Task.SETTLE_SUSPENSIONS)
def settle_suspensions() -> None:
    """Note the end of suspensions that nobody confirmed in time."""
    suspensions.settle()


@queue.worker(Task.SEND_LINK)
def send_link(user_id: UUID) -> None:
    """Mail a first link to whose credentials were reset."""
    users.send_link(user_id)


@queue.worker(Task.ENROL_CREDENTIAL)
def enrol_credential(enrolment_id: UUID) -> None:
    """Verify a passkey that another one signed, and sign the next roster."""
    passkeys.enrol_credential(enrolment_id)


@queue.worker(Task.DROP_CREDENTIALS)
def drop_credentials(user_id: UUID) -> None:
    """Let passkeys leave the roster that were given up."""
    passkeys.drop_credentials(user_id)


@queue.worker(Task.TELL_ALARM)
def tell_alarm(alarm_id: UUID) -> None:
    """Mail an alarm to those concerned."""
    alarms.tell(alarm_id)

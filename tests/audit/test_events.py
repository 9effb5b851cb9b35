"""Names and numbers of events and alarms are stored for ever: extend these lists, never change a line."""

from audit.alarms import Kind
from audit.events import PROMPT, Event, Severity

FROZEN = """\
71001 attempt.refused
71002 anonymous.refused
71003 message.refused
71005 alarm.raised
71006 alarm.acknowledged
71007 alarm.closed
71008 names.erased
71009 log.rollback_acknowledged
71010 self.backed_up
71011 self.restored
71012 master_key.rotating
71013 master_key.rotated
71014 master_key.destroyed
71050 forwarder.made
71051 forwarder.changed
71052 forwarder.stopped
71053 forwarder.resumed
71054 forwarder.tested
71101 request.created
71102 request.approved
71103 request.rejected
71104 request.withdrawn
71105 request.expired
71106 request.lapsed
71107 request.stale
71108 request.executed
71109 request.failed
71110 vote.cast
71111 policy.changed
71112 badge.attested
71113 evidence.exported
71201 rekey.started
71202 rekey.intent
71203 rekey.job_done
71204 rekey.job_failed
71205 rekey.ended
71206 encryption.activated
71207 encryption.deactivated
71208 password.version_created
71209 password.deleted
71210 password.version_erased
71211 secret.erased
71212 custody.stated
71213 custody.proved
71214 custody.failed
71215 password.released
71216 release.taken
71217 password.offered
71218 password.proved
71219 password.not_proved
71301 job.created
71302 job.changed
71303 job.deleted
71304 job.run
71305 backup.finished
71306 backup.failed
71307 restore.started
71308 restore.finished
71309 restore.failed
71310 retention.dropped
71311 drift.found
71312 drift.closed
71313 repository.created
71314 repository.changed
71315 repository.deleted
71316 verify.finished
71317 verify.failed
71318 access.granted
71319 access.revoked
71320 drift.explained
71321 cover.started
71322 cover.finished
71323 cover.failed
71324 adoption.started
71325 job.adopted
71326 points.adopted
71327 points.opened
71328 adoption.ended
71401 person.created
71402 person.changed
71403 user.created
71404 user.changed
71405 user.deactivated
71406 role.granted
71407 role.revoked
71408 security_role.sealed
71409 member.added
71410 member.removed
71411 member.suspended
71412 member.confirmed
71413 member.lifted
71414 roster.signed
71415 enrolment.link_made
71416 enrolment.finished
71417 token.created
71418 token.revoked
71419 member.suspension_ended
71420 member.doubted
71421 credentials.reset
71422 credential.offered
71501 sign_in.succeeded
71502 sign_in.failed
71503 sign_out
71504 mfa.changed
71505 own_password.changed
71506 step_up.begun
71507 session.ended
71508 roles.proposed
71600 veeam.connected
71601 veeam.changed
71602 veeam.disconnected
71603 veeam.looked_at
71604 veeam.imported
71605 veeam.difference
71606 veeam.mode_changed
71607 veeam.points_gone
71608 veeam.analyzed
71620 veeam.reception_begun
71621 veeam.reception_ended
71622 veeam.reception_gap
71623 veeam.reconciled
71624 veeam.exception_assigned
71625 veeam.events_claimed
71640 veeam.password_set
71641 veeam.password_removed
71642 veeam.password_offered
71643 veeam.password_adopted
71644 veeam.password_refused
71700 keyset.wished
71701 keyset.generated
71702 keyset.activated
71703 keyset.taken
71704 keyset.exported
71705 keyset.imported
71706 keyset.deleted
71707 enterprise.ordered
71708 enterprise.refused
71709 server.offered
71710 server.registered
71711 server.revoked
71712 case.made
71713 case.received
71714 case.answered
71715 case.opened
71716 case.refused
71717 keysets.automatic
71718 server.revocation_wished
71800 assessment.asked
71801 assessment.done
71802 finding.suppressed
71850 report.made
71851 report.asked
71852 report.failed
71853 report.taken
71854 reports.erased
71855 report.scheduled
71856 report.unscheduled
"""

FROZEN_ALARMS = [
    "log.altered",
    "log.rolled_back",
    "task.failing",
    "drift",
    "unobserved",
    "rekey.stuck",
    "rekey.failed",
    "job.failed",
    "disk.full",
    "security_role.too_small",
    "member.suspended",
    "member.doubted",
    "password.released",
    "custody.wrong",
    "attestation.missing",
    "request.stale",
    "veeam.unexplained",
    "veeam.verify_failed",
    "veeam.not_listening",
    "veeam.not_enforced",
    "veeam.adoption_failed",
    "kms.away",
    "run.missed",
    "copy.behind",
    "security_role.small",
    "outbox.stuck",
    "log.unsealed",
    "checkpoint.inside",
    "keyset.expiring",
    "approval.quick",
    "forwarder.behind",
    "password.not_proved",
    "password.untaken",
]


def test_stored_names_and_numbers_of_events_stay():
    assert [f"{event.number} {event.value}" for event in Event] == FROZEN.splitlines()


def test_number_of_an_event_is_its_own():
    assert len({event.number for event in Event}) == len(Event)


def test_numbers_lie_in_our_range():
    assert all(71000 < event.number < 72000 for event in Event)


def test_stored_names_of_alarms_stay():
    assert [kind.value for kind in Kind] == FROZEN_ALARMS


def test_every_alarm_says_what_helps():
    assert all(kind.heading and kind.todo.endswith(".") for kind in Kind)


def test_decisions_are_sealed_at_once():
    assert {Event.VOTE_CAST, Event.REQUEST_EXECUTED, Event.REKEY_ENDED} <= PROMPT


def test_a_change_of_a_password_or_of_who_decides_is_high():
    changes = {
        Event.REKEY_JOB_DONE,
        Event.ENCRYPTION_ACTIVATED,
        Event.ENCRYPTION_DEACTIVATED,
        Event.PASSWORD_VERSION_CREATED,
        Event.PASSWORD_DELETED,
        Event.PASSWORD_RELEASED,
        Event.VEEAM_PASSWORD_SET,
        Event.VEEAM_PASSWORD_REMOVED,
        Event.POLICY_CHANGED,
        Event.MEMBER_ADDED,
        Event.MEMBER_REMOVED,
    }
    assert {event.severity for event in changes} == {Severity.HIGH}


def test_what_happens_all_day_is_information():
    assert {Event.BACKUP_FINISHED.severity, Event.SIGN_IN_SUCCEEDED.severity} == {Severity.INFO}


def test_veeam_s_numbers_stand_beside_ours():
    found = {Event.REQUEST_APPROVED: 42403, Event.PASSWORD_DELETED: 31800, Event.ROSTER_SIGNED: None}
    assert {event: event.veeam for event in found} == found


def test_veeam_s_numbers_are_not_ours():
    assert all(event.veeam < 71000 for event in Event if event.veeam is not None)

"""Approvals' tasks: a registered name and one uuid each."""

from uuid import UUID

from approvals.services import attesting, deadlines, execution, notify, proving, reminding, renewing
from audit.queue import Task, beat, worker


@worker(Task.EXECUTE)
def execute(request_id: UUID) -> None:
    """Begin what an approved request authorises."""
    execution.execute(request_id)


@worker(Task.REKEY_ENDED)
def rekey_ended(rekey_id: UUID) -> None:
    """Attest what a re-key did, and end its request."""
    attesting.rekey_ended(rekey_id)


@worker(Task.NOTIFY)
def tell(request_id: UUID) -> None:
    """Send the mails that a request calls for."""
    notify.notify(request_id)


@worker(Task.EARLY_PROOF)
def judge_proof(proof_id: UUID) -> None:
    """Compare what a custodian typed with the new password of a request."""
    proving.judge(proof_id)


@worker(Task.POLICY_CHANGED)
def policy_changed(policy_id: UUID) -> None:
    """End the open requests that a stricter policy outdates."""
    deadlines.end_outdated()


@beat(Task.EXPIRE)
def expire() -> None:
    """End what is overdue, and attest what a lost bell left out."""
    deadlines.expire_due()
    attesting.attest_missing()


@beat(Task.REMIND)
def remind() -> None:
    """Remind who may decide of deadlines that come near."""
    reminding.remind()


@beat(Task.DIGEST)
def digest() -> None:
    """Tell everybody once a day what waits for them."""
    reminding.digest()


@beat(Task.RENEW_KEYSETS)
def renew_keysets() -> None:
    """See whether the keyset in force runs out."""
    renewing.renew_keysets()

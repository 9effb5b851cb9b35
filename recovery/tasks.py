"""What workers call, by name; each makes one call. `recovery.obey` runs in the enterprise worker alone."""

from uuid import UUID

from audit import queue
from encryption.services import guarding
from recovery.services import cases, custody, obeying, releases, untaken


@queue.worker(queue.Task.ENTERPRISE)
def obey(task: UUID) -> None:
    """Do one thing that a signed order, or a wish for a new keyset, asks of the enterprise worker."""
    obeying.obey(task)


@queue.beat(queue.Task.WATCH_ENTERPRISE_KEYS)
def watch_keys() -> None:
    """See whether the enterprise worker's master key is to be had."""
    guarding.watch_enterprise()


@queue.worker(queue.Task.CUSTODY)
def judge(proof: UUID) -> None:
    """Compare what a custodian typed with the password."""
    custody.judge(proof)


@queue.worker(queue.Task.RELEASE)
def seal_release(release: UUID) -> None:
    """Seal a released password to the custodian's open page."""
    releases.seal(release)


@queue.worker(queue.Task.RECOVERY_REQUEST)
def make_request(case: UUID) -> None:
    """Make the request text of a case."""
    cases.make_request(case)


@queue.worker(queue.Task.RECOVERY_RESPONSE)
def open_response(case: UUID) -> None:
    """Open the response to a case."""
    cases.open_response(case)


@queue.beat(queue.Task.WATCH_RELEASES)
def watch() -> None:
    """End alarms about released passwords and copies whose cause is gone; watch and remind of what waits."""
    releases.watch()
    custody.watch()
    untaken.watch()
    untaken.remind()

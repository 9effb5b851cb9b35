"""Time passes, work is delivered, also twice, processes end in the middle; somebody has the share in hand."""

import hashlib
import shutil
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from encryption.badge import State as Sign
from encryption.badge import badge
from encryption.crypto import kdf
from encryption.engines.native import rekey as native
from encryption.models import Job
from encryption.services import drift, runs
from tests.machine.acting import PLACES, Acting

STRANGER = b"x" * 32


class WorkRules(Acting):
    """The worker, the clock, and edits behind the back."""

    @rule(hours=st.sampled_from([0.05, 2, 25, 73, 24 * 8, 24 * 31]))
    def let_time_pass(self, hours: float) -> None:
        self.has_waited = self.world.is_changed = True
        self.world.shift(timedelta(hours=hours))

    @precondition(lambda self: self.has_asked or self.has_run)
    @rule(which=st.integers(0, 7))
    def deliver_one(self, which: int) -> None:
        """Any of the newest, done before or not."""
        newest = self.rows()[-8:]
        if newest:
            self.deliver(newest[which % len(newest)])

    @precondition(lambda self: self.has_asked or self.has_run)
    @rule()
    def deliver_all(self) -> None:
        self.deliver_everything()

    @precondition(lambda self: self.has_asked or self.has_run)
    @rule(place=st.sampled_from(PLACES), number=st.integers(1, 6))
    def crash(self, place: str, number: int) -> None:
        self.crash_at(place, number)

    @rule(job=st.integers(0, 1))
    def run_a_backup(self, job: int) -> None:
        self.has_run = True
        self.tried(lambda: runs.start_backup(self.world.jobs[job].pk, by=self.world.user("operator")))

    @rule(job=st.integers(0, 1), how=st.sampled_from(["older", "foreign", "gone"]))
    def swap_the_keyring(self, job: int, how: str) -> None:
        """Somebody with the share in hand puts another keyring there, or none."""
        folder = self.world.folder(self.world.jobs[job])
        keyring, kept = folder / "keyring", folder / "kept"
        self.swapped.add(job)
        self.world.is_changed = True
        if not keyring.exists() or kept.exists():
            return
        keyring.rename(kept)
        pristine = self.world.pristine / folder.name / "keyring"
        if how == "older" and pristine.exists() and pristine.read_bytes() != kept.read_bytes():
            shutil.copy(pristine, keyring)
        elif how == "foreign":
            parameters = kdf.Argon2id(salt=b"s" * 16)
            native.activate(folder, root=STRANGER, user_key=UUID(int=9), parameters=parameters)

    @precondition(lambda self: self.swapped)
    @rule()
    def put_the_keyrings_back(self) -> None:
        for job in sorted(self.swapped):
            folder = self.world.folder(self.world.jobs[job])
            if (folder / "kept").exists():
                (folder / "kept").replace(folder / "keyring")
        self.swapped.clear()
        self.world.is_changed = True

    @rule(job=st.integers(0, 1))
    def observe(self, job: int) -> None:
        target = self.world.jobs[job]
        found, folder = drift.observe(target.pk), self.world.folder(target)
        if (folder / "kept").exists():
            assert found
            assert badge(Job.objects.get(pk=target.pk)).state == Sign.DRIFT
        elif not found and (folder / "keyring").exists():
            first = (folder / "keyring").read_bytes().partition(b"\n")[0]
            observed = Job.objects.get(pk=target.pk).observed_fingerprint
            assert observed == hashlib.sha256(first).hexdigest()

"""Which executed request explains what was found at Veeam: by what its steps read back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from encryption import rules
from encryption.models import PasswordVersion, RekeyJob, VeeamServer
from encryption.services.veeam.reading import Reading


class Explaining:
    """What the executed steps of one server's jobs left there, and the steps that are under way."""

    def __init__(self, server: VeeamServer, reading: Reading) -> None:
        self._server = server.pk
        self._reading = reading
        steps = RekeyJob.objects.filter(job__repository=server.pk).select_related("rekey__version")
        done = steps.filter(state=RekeyJob.State.SUCCEEDED).order_by("job_id", "-ended_at")
        self.steps: dict[UUID, RekeyJob] = {step.job_id: step for step in done.distinct("job_id")}
        # What a step does while we read may be seen by halves: it is compared at the next reading.
        open_now = Q(state__in=RekeyJob.OPEN) | Q(ended_at__gte=reading.began_at)
        busy = list(steps.filter(open_now))
        self.busy_jobs = {step.job_id for step in busy}
        self.busy_passwords = {step.rekey.version.password_id for step in busy if step.rekey.version}

    def step_of(self, job: UUID, fingerprint: str) -> RekeyJob | None:
        """Return the newest step of a job, if it left this key."""
        step = self.steps.get(job)
        return step if step is not None and rules.key_of(step) == fingerprint else None

    def expected_of(self, job: UUID) -> str | None:
        """Return the key that the newest step of a job left; None when no step did."""
        step = self.steps.get(job)
        return rules.key_of(step) if step is not None else None

    def version_of(
        self, password: UUID, modified: datetime | None, blocks: Mapping[UUID, Iterable[Mapping[str, Any]]]
    ) -> PasswordVersion | None:
        """Return the version that an executed request gave a password at the time that it was changed.

        `blocks` are what was read of each job. None: no request did.
        """
        for job, step in self.steps.items():
            version = step.rekey.version
            if version is None or version.password_id != password or job not in blocks:
                continue
            found = rules.veeam_fingerprint(self._server, blocks[job], self._reading.modified)
            if found and rules.key_of(step) == found:
                return version
        rows = PasswordVersion.objects.filter(password=password, request__isnull=False)
        return rows.filter(in_force_from=modified, in_force_from__isnull=False).order_by("-number").first()

    def maker_of(self, password: UUID) -> PasswordVersion | None:
        """Return the first version of a password that a request made; None when none did."""
        rows = PasswordVersion.objects.filter(password=password, request__isnull=False)
        return rows.order_by("number").first()

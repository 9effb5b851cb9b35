"""Levers of what stands beside jobs and passwords: the analyzer, people, the configuration backup, tiers."""

from dataclasses import dataclass
from typing import Any

from veeamsec.peer import runs
from veeamsec.peer.accounts import ADMINISTRATOR, Account
from veeamsec.peer.installation import Backup, Installation
from veeamsec.peer.seeds.ground import SOMEBODY


@dataclass
class Surroundings:
    """The levers; repositories and practices are named by their names, none of it is told by an event."""

    at: Installation

    def run_analyzer(self, result: str = "Success", by: str = SOMEBODY) -> None:
        """The analyzer runs from begin to end."""
        with self.at.lock:
            runs.finish(self.at, runs.analyze(self.at, by=by)["id"], result=result)

    def finds(self, practice: str, status: str) -> None:
        """The analyzer finds this of a practice, which its first words name."""
        with self.at.lock:
            found = next(one for one in self.at.practices if one["bestPractice"].startswith(practice))
            found["status"] = status

    def somebody_joins(self, name: str, role: str = ADMINISTRATOR) -> None:
        """Another account has a role there."""
        with self.at.lock:
            self.at.accounts.append(Account(name, role))

    def configuration_backup(self, *, on: bool = True, encrypted: bool = True) -> None:
        """The configuration backup is switched, or its encryption."""
        with self.at.lock:
            model = self.at.config_backup
            model["isEnabled"] = on
            model["encryption"] = model["encryption"] | {"isEnabled": encrypted}

    def tier(self, place: str, tier: str, *, encrypted: bool, copies: bool = True) -> None:
        """A tier of a scale-out repository encrypts, or does not; and copies at once, or only moves."""
        with self.at.lock:
            found = next(one for one in self.at.scale_outs.values() if one["name"] == place)
            found[tier]["encryption"] = found[tier]["encryption"] | {"isEnabled": encrypted}
            found[tier]["copyPolicyEnabled"] = copies

    def alterable(self, repository: str) -> None:
        """A hardened repository keeps nothing immutable any more."""
        with self.at.lock:
            settings = self._repository(repository)["repository"]
            settings["makeRecentBackupsImmutableDays"] = 0

    def moves(self, job: str, repository: str) -> None:
        """A job's backup, and what it writes from now on, lies in another repository."""
        with self.at.lock:
            place = self._repository(repository)["id"]
            found = next(one for one in self.at.jobs.values() if one.head["name"] == job)
            found.keep(found.text.replace(self._backup(job).repository, place))
            self._backup(job).repository = place

    def somebody_deletes_job(self, job: str) -> None:
        """A job is gone; its backup stays, as a server leaves it."""
        with self.at.lock:
            del self.at.jobs[self._backup(job).job]

    def _repository(self, name: str) -> dict[str, Any]:
        return next(one for one in self.at.repositories.values() if one["name"] == name)

    def _backup(self, job: str) -> Backup:
        return next(one for one in self.at.backups.values() if one.name == job)

"""What a test or a person does at the server: in its console, to its clock, to its network."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from veeamsec.peer import actions, encryption, runs
from veeamsec.peer.accounts import Account
from veeamsec.peer.faults import Fault
from veeamsec.peer.installation import Job, Password
from veeamsec.peer.seeds.ground import SOMEBODY
from veeamsec.peer.server import Seen
from veeamsec.peer.surroundings import Surroundings
from veeamsec.peer.syslog import Event

Model = dict[str, Any]


@dataclass
class Control(Surroundings):
    """The console and the levers; jobs and passwords are named by name or hint, or by id."""

    seen: list[Seen]

    # In the console

    def somebody_changes_password(self, hint: str, by: str = SOMEBODY, value: str | None = None) -> None:
        """A password gets another value, made up where none is given."""
        with self.at.lock:
            found = self._password(hint)
            value = value or secrets.token_urlsafe(18)
            actions.change_password(self.at, found, hint=found.hint, value=value, by=by)

    def somebody_changes_hint(self, hint: str, new: str, by: str = SOMEBODY) -> None:
        """A password gets another hint."""
        with self.at.lock:
            actions.change_hint(self.at, self._password(hint), hint=new, by=by)

    def somebody_creates_password(self, hint: str, by: str = SOMEBODY, value: str | None = None) -> str:
        """There is another password; its id."""
        with self.at.lock:
            value = value or secrets.token_urlsafe(18)
            return actions.add_password(self.at, hint=hint, value=value, by=by).id

    def somebody_deletes_password(self, hint: str, by: str = SOMEBODY) -> None:
        """A password is gone. Raises Refusal while something uses it."""
        with self.at.lock:
            actions.delete_password(self.at, self._password(hint), by=by)

    def somebody_verifies_password(self, hint: str, value: str, by: str = SOMEBODY) -> bool | None:
        """A value is compared; None while that is blocked."""
        with self.at.lock:
            return actions.verify_password(self.at, self._password(hint), value=value, by=by)

    def somebody_switches_off(self, job: str, by: str = SOMEBODY) -> None:
        """A job encrypts no more, from its next run on."""
        self.somebody_edits(job, lambda model: _block(model).update(isEnabled=False), by)

    def somebody_switches_on(self, job: str, hint: str, by: str = SOMEBODY) -> None:
        """A job encrypts by a password, from its next run on."""
        with self.at.lock:
            found = self._password(hint)
        self._set(job, encryption.by_password(found.id, found.unique_id), by)

    def somebody_switches_to_kms(self, job: str, name: str, by: str = SOMEBODY) -> None:
        """A job encrypts by a KMS server, from its next run on."""
        server = next(one for one in self.at.kms.values() if name in (one["name"], one["id"]))
        self._set(job, encryption.by_kms(server["id"]), by)

    def somebody_edits(self, job: str, change: Callable[[Model], Any], by: str = SOMEBODY) -> None:
        """A job is changed as the function changes its model."""
        with self.at.lock:
            model = self._job(job).model
            change(model)
            actions.edit_job(self.at, model["id"], model, by=by)

    def run_job(self, job: str, *, full: bool = False, by: str = "SYSTEM") -> list[str]:
        """A job runs from begin to end; the ids of its new restore points."""
        with self.at.lock:
            session = runs.begin(self.at, self._job(job).model["id"], by=by)
            return runs.end(self.at, session["id"], full=full)

    def run_all(self) -> int:
        """Every job that is not disabled runs; how many new restore points there are."""
        with self.at.lock:
            ready = [one.model for one in self.at.jobs.values() if not one.running]
            return sum(len(self.run_job(one["id"])) for one in ready if not one.get("isDisabled"))

    def fail_run(self, job: str) -> None:
        """A job runs and fails: no restore point."""
        with self.at.lock:
            session = runs.begin(self.at, self._job(job).model["id"], by="SYSTEM")
            runs.end(self.at, session["id"], result="Failed")

    def four_eyes(self, *, on: bool, by: str = SOMEBODY) -> None:
        """The server's own four-eyes authorization is switched."""
        with self.at.lock:
            self.at.options.four_eyes = on
            actions.tell_four_eyes(self.at, 42400 if on else 42401, "Four-eyes authorization", by=by)

    def four_eyes_request(self, name: str, state: str = "Pending", by: str = SOMEBODY) -> str:
        """A request of that authorization; its id."""
        told, now = self.at.clock.told, self.at.clock.now()
        made = {
            "id": str(uuid4()),
            "name": name,
            "description": name,
            "state": state,
            "creationTime": told(now),
            "createdBy": by,
            "expirationTime": told(now + timedelta(days=7)),
        }
        with self.at.lock:
            self.at.authorizations.append(made)
            actions.tell_four_eyes(self.at, 42402, name, by=by)
        return str(made["id"])

    # What a test looks at

    def password_id(self, hint: str) -> str:
        """The id of a password."""
        return self._password(hint).id

    def password_value(self, hint: str) -> str:
        """The value of a password, which is a test's."""
        return self._password(hint).value

    def modified_at(self, hint: str) -> datetime:
        """When the value of a password was last changed."""
        return self._password(hint).modified_at

    def job_id(self, name: str) -> str:
        """The id of a job."""
        return str(self._job(name).head["id"])

    def job_model(self, name: str) -> Model:
        """The whole model of a job; a copy."""
        return self._job(name).model

    def job_text(self, name: str) -> str:
        """The whole model of a job as it was last received."""
        return self._job(name).text

    def set_job_text(self, name: str, text: str) -> None:
        """Keep this JSON as a job's model, unchecked and untold: to try forms of numbers and names."""
        with self.at.lock:
            self._job(name).keep(text)

    def jobs(self) -> list[str]:
        """The names of all jobs."""
        return [str(one.head["name"]) for one in self.at.jobs.values()]

    def account(self, name: str) -> Account:
        """An account by its name."""
        found = self.at.account(name)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def events(self) -> list[Event]:
        """Every event so far, sent or not."""
        return list(self.at.sender.events)

    # The clock, tokens, the network

    def move_clock(self, by: timedelta) -> None:
        """It is so much later there."""
        self.at.clock.offset += by

    def expire_tokens(self) -> None:
        """Every access token has run out."""
        with self.at.lock:
            self.at.tokens.expire()

    def forget_tokens(self) -> None:
        """No token is valid any more, as after a restart."""
        with self.at.lock:
            self.at.tokens.forget()

    def fail_next(
        self,
        kind: int | str,
        *,
        times: int = 1,
        method: str = "",
        path: str = "",
        skip: int = 0,
        retry_after: str | None = None,
        seconds: float = 0.0,
    ) -> Fault:
        """The next calls that match fail so; the order counts its `hits`. See `faults.Fault`."""
        with self.at.lock:
            return self.at.faults.order(
                kind,
                times=times,
                method=method,
                path=path,
                skip=skip,
                retry_after=retry_after,
                seconds=seconds,
            )

    def clear_faults(self) -> None:
        """Nothing fails any more."""
        with self.at.lock:
            self.at.faults.ordered.clear()
            self.at.faults.before.clear()

    def before_next(self, method: str, path: str, do: Callable[[], None]) -> None:
        """Something happens right before the next call that matches, such as an edit by somebody else."""
        with self.at.lock:
            self.at.faults.before.append((method.upper(), re.compile(path), do))

    def send_events_to(self, host: str, port: int, protocol: str = "Udp", thumbprint: str = "") -> None:
        """Events are sent there from now on; nothing that happened before."""
        server = {"serverName": host, "port": port, "transportProtocol": protocol}
        if thumbprint:
            server["certificateThumbprint"] = thumbprint
        with self.at.lock:
            self.at.sender.forwarding = {**self.at.sender.forwarding, "syslogServer": server}

    def mute(self, event: int, *severities: str) -> None:
        """An event is not sent in these severities, in all where none is named."""
        one = {"eventId": str(event), "severity": list(severities) or ["Info", "Warning", "Error"]}
        with self.at.lock:
            filters = [*(self.at.sender.forwarding.get("syslogEventFiltering") or []), one]
            self.at.sender.forwarding = {**self.at.sender.forwarding, "syslogEventFiltering": filters}

    def lose_events(self, *, on: bool = True) -> None:
        """What happens from now on reaches no receiver."""
        self.at.sender.silent = on

    def flush_events(self) -> bool:
        """Wait until what happened is sent; False where it is not in time."""
        return self.at.sender.flush()

    def _set(self, job: str, block: Model, by: str) -> None:
        def change(model: Model) -> None:
            place = _block(model)
            place.clear()
            place.update(block)
            if "useCustomEncryption" in model:
                model["useCustomEncryption"] = True

        self.somebody_edits(job, change, by)

    def _password(self, hint: str) -> Password:
        found = [one for one in self.at.passwords.values() if hint in (one.hint, one.id)]
        if len(found) != 1:
            raise KeyError(f"{len(found)} passwords are named {hint!r}")
        return found[0]

    def _job(self, name: str) -> Job:
        found = self.at.jobs.get(name) or next(
            (one for one in self.at.jobs.values() if one.head["name"] == name), None
        )
        if found is None:
            raise KeyError(f"no job is named {name!r}")
        return found


def _block(model: Model) -> Model:
    found = encryption.own(model)
    if found is None:
        raise KeyError(f"the job {model['name']} has no encryption")
    return found

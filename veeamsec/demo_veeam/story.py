"""From a server that was only looked at to one whose every change is approved or explained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veeamsec.demo.cast import passphrase
from veeamsec.demo.client import Client, DemoFailed
from veeamsec.demo.stage import API
from veeamsec.demo.story import CUSTODY
from veeamsec.demo.telling import Teller, expect, wait_for
from veeamsec.demo_veeam.ledger import UUID, Ledger
from veeamsec.demo_veeam.stage import VeeamStage
from veeamsec.peer import Peer
from veeamsec.peer.seeds.ground import SOMEBODY
from veeamsec.peer.seeds.story import STANDARD

FORTY = 40
# A deduplication appliance saves nothing of what is encrypted; a copy of personal data is another request.
LEFT_OUT = frozenset({"Archive of Projects", "Copy of HR", "Finance Replica", "Content Scan"})


@dataclass
class Story:
    """One telling of it."""

    home: Path
    clients: dict[str, Client]
    peer: Peer
    tell: Teller

    def __post_init__(self) -> None:
        self.adam = self.clients["adam"]
        self.stage = VeeamStage(self.adam, self.tell)
        self.server = ""
        self.jobs: list[str] = []
        self.adopted, self.second = "", passphrase()

    def play(self) -> None:
        """The whole story, in order."""
        self._connect()
        self._read()
        self._changed()
        self._adopt()
        self._activate()
        self._change()
        self._behind_the_back()
        self._reconcile()
        self._look_for_values()

    def _connect(self) -> None:
        with self.tell.step("Adam connects the server; its certificate is looked at before anything is sent"):
            place = {"address": self.peer.address, "port": str(self.peer.port)}
            look = self.adam.submit("/veeam/connect/", place)
            page = "/veeam/connect/" + UUID.findall(look.url)[-1] + "/"
            wait_for("the certificate", lambda: "SHA-256" in self.adam.get(page).text or None)
            if self.peer.thumbprint not in self.adam.get(page).text:
                raise DemoFailed("the thumbprint that was seen is not the one that the server shows")
            account = self.peer.account
            given = {"compared": "on", "name": "Main", "account": account.name, "password": account.password}
            self.server = UUID.findall(self.adam.submit(page, given).url)[-1]
            self.tell.say(f"thumbprint {self.peer.thumbprint[:16]}… compared; account {account.name}")

    def _read(self) -> None:
        with self.tell.step("It is read, and nothing is changed there"):
            found = wait_for("the first import", self._imported)
            self.tell.say(f"{found['vbr_name']}, build {found['build']}, over {found['tls_version']}")
            opens = expect(self.adam.get(f"{API}/opens/"), 200)
            self.tell.say(f"which password opens what: {len(opens['results'])} jobs on its first page")
            report = self.adam.get(f"/veeam/{self.server}/report/")
            if report.status != 200:
                raise DemoFailed(f"the report answered {report.status}")
            (self.home / "report.html").write_text(report.text)
            changed = [one.path for one in self.peer.control.seen if one.method not in ("GET", "POST")]
            if changed or self.peer.control.events:
                raise DemoFailed(f"something was changed there: {changed}")

    def _imported(self) -> dict[str, Any] | None:
        found: dict[str, Any] = expect(self.adam.get(f"{API}/veeam/servers/{self.server}/"), 200)
        if found["error"]:
            raise DemoFailed(found["error"])
        return found if found["imported_at"] else None

    def _changed(self) -> None:
        with self.tell.step(f"Somebody changes the password “{STANDARD}” in Veeam's console"):
            self.peer.control.somebody_changes_password(STANDARD)
            self._tell_of(drift := self._drift())
        with self.tell.step("Dora asks that it may stand, Carl approves: explained, and without a badge"):
            self._explain(drift)

    def _adopt(self) -> None:
        with self.tell.step("Adam adopts the value that is in force: typed once, proved by Veeam itself"):
            self.adopted = self.peer.control.password_value(STANDARD)
            form = f"/passwords/{self._password()['id']}/adopt/"
            offered = self.adam.submit(form, {"password": self.adopted})
            page = "/adoptions/" + UUID.findall(offered.url)[-1] + "/"
            wait_for("Veeam's verdict", lambda: "It is held here" in self.adam.get(page).text or None)
            self.tell.say("Veeam says that it is the password; it is held here, and approved by nobody")

    def _activate(self) -> None:
        with self.tell.step("Adam asks for the encryption of 40 jobs in one request"):
            rows = expect(self.adam.get(f"{API}/jobs/?encrypted=false&page_size=200"), 200)["results"]
            self.jobs = [one["id"] for one in rows if one["name"] not in LEFT_OUT][:FORTY]
            if len(self.jobs) != FORTY:
                raise DemoFailed(f"there are only {len(self.jobs)} jobs to encrypt")
            request = self.stage.ask(
                {
                    "kind": "activate_encryption",
                    "reason": "The authority asks that every backup be encrypted.",
                    "jobs": self.jobs,
                    "encryption_password": self._password()["id"],
                    "custody": CUSTODY,
                    "answers": self._answers(),
                    "start": "next_run",
                }
            )
        with self.tell.step("Carl, CISO, approves with a fresh code; a worker switches all forty on"):
            self.stage.approve(request, self.clients["carl"], "Go ahead.")
            self.stage.wait_until_executed(request)
            self._tell_badge("next_run", "approved_from")
        with self.tell.step("The night comes: every job runs, each of the forty with a new full"):
            self.tell.say(f"{self.peer.control.run_all()} restore points")
            self._tell_badge("approved_from")

    def _change(self) -> None:
        with self.tell.step("Adam asks for another value; Dora, DPO, approves; Veeam verifies it"):
            request = self.stage.ask(
                {
                    "kind": "change_password",
                    "reason": "Who set it has left the house.",
                    "encryption_password": self._password()["id"],
                    "new_password": self.second,
                    "custody": CUSTODY,
                    "answers": self._answers(),
                }
            )
            self.stage.approve(request, self.clients["dora"], "In order.")
            self.stage.wait_until_executed(request)
            if self.second not in {one.value for one in self.peer.control.at.passwords.values()}:
                raise DemoFailed("the value at Veeam is not the one that was approved")
            self.peer.control.run_all()
            self._tell_badge("approved_from")

    def _behind_the_back(self) -> None:
        with self.tell.step("Somebody changes it again, behind our back"):
            self.peer.control.somebody_changes_password(self._password()["hint"])
            self._tell_of(drift := self._drift())
            self._tell_badge("drift", "unapproved")
        with self.tell.step("Dora asks that it may stand, Carl approves; the badge stays away"):
            self._explain(drift)
            self._tell_badge("unapproved")

    def _reconcile(self) -> None:
        with self.tell.step("Every event and every change belongs to a request, or somebody answers for it"):
            ledger = Ledger(self.clients["irene"], self.clients["carl"], self.server)
            rows = wait_for("everything to be judged", ledger.judged)
            for row in ledger.unexplained(rows):
                self.tell.say(f"no request explains: {row['text']} ({row['user']})")
            if ledger.unexplained(rows):
                ledger.answer_for()
                rows = wait_for("an owner for each", ledger.complete)
                self.tell.say("Carl has asked what it was, and answers for it")
            for population, counts in ledger.counts(rows).items():
                told = ", ".join(f"{number} {part}" for part, number in counts.items())
                self.tell.say(f"{population}: {told}")
                if not counts["settled by request"]:
                    raise DemoFailed(f"no request explains any of: {population}")

    def _look_for_values(self) -> None:
        with self.tell.step("No value of a password was written anywhere in clear"):
            values = [self.peer.account.password, self.adopted, self.second]
            written = [*self.home.glob("logs/*"), *self.home.glob("mail/*"), self.home / "report.html"]
            for path in written:
                if path.is_file() and any(one.encode() in path.read_bytes() for one in values):
                    raise DemoFailed(f"{path} holds the value of a password")
            self.tell.say(f"none of {len(values)} values stands in a log, a mail or the report")

    def _explain(self, drift: dict[str, Any]) -> None:
        body = {"kind": "explain_drift", "reason": "Agreed by telephone.", "drift": drift["id"]}
        request = self.stage.ask(body, by=self.clients["dora"])
        self.stage.approve(request, self.clients["carl"], "It may stand.")
        self.stage.wait_until_executed(request)

    def _tell_of(self, drift: dict[str, Any]) -> None:
        actor = drift["found"]["actor"]
        self.tell.say(f"alarm: {drift['what']}, by {actor['user']}, from event {actor['number']}")

    def _tell_badge(self, *states: str) -> None:
        sign = self.stage.wait_for_badge(self.jobs[0], *states)
        self.tell.say(f"the badge reads: {sign['label']}")

    def _drift(self) -> dict[str, Any]:
        def told() -> dict[str, Any] | None:
            rows = expect(self.clients["irene"].get(f"{API}/drifts/"), 200)["results"]
            named = [one for one in rows if one["found"].get("actor", {}).get("user") == SOMEBODY]
            return next((one for one in named if one["closed_at"] is None), None)

        return wait_for(f"an alarm that names {SOMEBODY}", told)

    def _password(self) -> dict[str, Any]:
        rows = expect(self.adam.get(f"{API}/passwords/?page_size=200"), 200)["results"]
        found = [one for one in rows if one["hint"].startswith(STANDARD)]
        if len(found) != 1:
            raise DemoFailed(f"{len(found)} passwords are named {STANDARD}")
        password: dict[str, Any] = found[0]
        return password

    def _answers(self) -> list[dict[str, str]]:
        procedure = expect(self.adam.get(f"{API}/requests/procedure/"), 200)
        return [
            {"question": question, "answer": "Yes, as the procedure asks."}
            for question in procedure["procedure_questions"]
        ]

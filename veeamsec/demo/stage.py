"""What the demo does over HTTP: each verb is what a person or a program would send."""

from dataclasses import dataclass
from typing import Any

from veeamsec.demo.client import Client, DemoFailed
from veeamsec.demo.telling import Teller, expect, wait_for

API = "/api/v1"
ENDED = ("executed", "failed", "lapsed", "stale", "rejected", "withdrawn", "expired")


@dataclass
class Stage:
    """The running product, seen by the operator, with the people who decide at hand."""

    operator: Client
    tell: Teller

    def create(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a repository or a job."""
        made: dict[str, Any] = expect(self.operator.post(f"{API}/{what}/", body), 201)
        return made

    def run(self, job: str) -> dict[str, Any]:
        """Run a backup and wait for its restore point."""
        before = {point["id"] for point in self.points(job)}
        expect(self.operator.post(f"{API}/jobs/{job}/run/", {}), 201, 202)

        def new() -> dict[str, Any] | None:
            return next((point for point in self.points(job) if point["id"] not in before), None)

        return wait_for("a restore point", new)

    def points(self, job: str) -> list[dict[str, Any]]:
        """The live restore points, newest first."""
        found: list[dict[str, Any]] = expect(self.operator.get(f"{API}/jobs/{job}/restore-points/"), 200)[
            "results"
        ]
        return found

    def badge(self, job: str) -> dict[str, Any]:
        """The sign beside the job."""
        sign: dict[str, Any] = expect(self.operator.get(f"{API}/jobs/{job}/badge/"), 200)
        return sign

    def wait_for_badge(self, job: str, *states: str) -> dict[str, Any]:
        """The sign once it reads as one of these."""

        def reads() -> dict[str, Any] | None:
            sign = self.badge(job)
            return sign if sign["state"] in states else None

        return wait_for(f"a badge that reads {' or '.join(states)}", reads)

    def ask(self, body: dict[str, Any], by: Client | None = None) -> dict[str, Any]:
        """Ask for something that another person decides."""
        asked: dict[str, Any] = expect((by or self.operator).post(f"{API}/requests/", body), 201)
        self.tell.say(f"R-{asked['number']} asked, digest {asked['digest'][:16]}…")
        return asked

    def try_to_approve(self, request: dict[str, Any], who: Client) -> Any:
        """The answer to an attempt to approve, whatever it is."""
        body = {"verdict": "approve", "digest": request["digest"], "comment": ""}
        answer = who.post(f"{API}/requests/{request['id']}/challenge/", body)
        if answer.status != 200:
            return answer
        return self._decide(request, who, "approve", "", answer.json["nonce"])

    def approve(self, request: dict[str, Any], who: Client, comment: str) -> None:
        """Approve by session, CSRF token and a fresh code."""
        body = {"verdict": "approve", "digest": request["digest"], "comment": comment}
        challenge = expect(who.post(f"{API}/requests/{request['id']}/challenge/", body), 200)
        expect(self._decide(request, who, "approve", comment, challenge["nonce"]), 200)

    def _decide(self, request: dict[str, Any], who: Client, verdict: str, comment: str, nonce: str) -> Any:
        step_up = {"totp": who.code()} if who.totp_secret else {"password": "not asked"}
        body = {"digest": request["digest"], "comment": comment, "nonce": nonce, "step_up": step_up}
        return who.post(f"{API}/requests/{request['id']}/{verdict}/", body)

    def wait_until_executed(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request once the worker has done it, telling the progress of the re-key."""
        told = -1

        def ended() -> dict[str, Any] | None:
            nonlocal told
            now: dict[str, Any] = expect(self.operator.get(f"{API}/requests/{request['id']}/"), 200)
            if now["rekey"]:
                rekey = expect(self.operator.get(f"{API}/rekeys/{now['rekey']}/"), 200)
                done = sum(step["done"] for step in rekey["steps"])
                if done != told:
                    told = done
                    total = sum(step["total"] for step in rekey["steps"])
                    self.tell.say(f"re-key {rekey['state']}: {done} of {total} restore points")
            return now if now["state"] in ENDED else None

        done = wait_for("the request to end", ended)
        if done["state"] != "executed":
            raise DemoFailed(f"R-{done['number']} ended as {done['state']}: {done.get('outcome', '')}")
        return done

    def restore(self, point: str, to: str) -> None:
        """Restore everything of a point into an empty folder, and wait."""
        session = expect(self.operator.post(f"{API}/restore-points/{point}/restore/", {"to": to}), 201, 202)

        def ended() -> str | None:
            now: str = expect(self.operator.get(f"{API}/sessions/{session['id']}/"), 200)["state"]
            return now if now in ("succeeded", "warning", "failed") else None

        if (state := wait_for("the restore", ended)) != "succeeded":
            raise DemoFailed(f"the restore ended as {state}")

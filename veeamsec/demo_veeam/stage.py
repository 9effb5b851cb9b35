"""What the story does over HTTP beside what every demo does."""

from typing import Any

from veeamsec.demo.client import DemoFailed
from veeamsec.demo.stage import API, ENDED, Stage
from veeamsec.demo.telling import expect, wait_for


class VeeamStage(Stage):
    """The running product with a Veeam server: what is done there is told by jobs."""

    def wait_until_executed(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request once the worker has done it, telling how many jobs are done."""
        told = 0

        def ended() -> dict[str, Any] | None:
            nonlocal told
            now: dict[str, Any] = expect(self.operator.get(f"{API}/requests/{request['id']}/"), 200)
            if now["rekey"]:
                steps = expect(self.operator.get(f"{API}/rekeys/{now['rekey']}/"), 200)["steps"]
                done = sum(step["state"] == "succeeded" for step in steps)
                if done != told and (done == len(steps) or done >= told + 10):
                    told = done
                    self.tell.say(f"{done} of {len(steps)} jobs done, read back and proved")
            return now if now["state"] in ENDED else None

        done = wait_for("the request to end", ended)
        if done["state"] != "executed":
            raise DemoFailed(f"R-{done['number']} ended as {done['state']}: {done.get('outcome', '')}")
        return done

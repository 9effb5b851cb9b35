"""What a person types: one line, one deed, one answer. Values of passwords are never written."""

import re
from collections.abc import Callable
from datetime import timedelta

from veeamsec.peer.answers import Refusal
from veeamsec.peer.control import Control
from veeamsec.peer.seeds.ground import SOMEBODY

HELP = """\
somebody changes a password HINT [as NAME]
somebody changes a hint HINT to HINT [as NAME]
somebody creates a password HINT [as NAME]
somebody deletes a password HINT [as NAME]
somebody switches off JOB [as NAME]
somebody switches on JOB with HINT [as NAME]
somebody switches to kms JOB with SERVER [as NAME]
run JOB | run all
four eyes on | four eyes off
lose events | send events
later MINUTES
jobs | passwords | events | calls
help | quit"""


class Unclear(Exception):
    """The line is none of those that are understood."""


def obey(control: Control, line: str) -> str:
    """Do what a line says; what to answer. Raises Unclear, and EOFError for quit."""
    words = " ".join(line.split())
    by = SOMEBODY
    if named := re.fullmatch(r"(.+) as (\S+)", words):
        words, by = named[1], named[2]
    for pattern, do in _DEEDS:
        if found := re.fullmatch(pattern, words, re.IGNORECASE):
            try:
                return do(control, by, *found.groups())
            except (KeyError, StopIteration) as error:
                raise Unclear(f"There is no such thing: {error}") from error
            except Refusal as refusal:
                return f"The server refuses: {refusal}"
    raise Unclear("That is not understood; help tells what is.")


def _change(control: Control, by: str, hint: str) -> str:
    control.somebody_changes_password(hint, by)
    return f"{by} changed the password {hint}."


def _rename(control: Control, by: str, hint: str, new: str) -> str:
    control.somebody_changes_hint(hint, new, by)
    return f"{by} renamed {hint} to {new}."


def _create(control: Control, by: str, hint: str) -> str:
    return f"{by} created {control.somebody_creates_password(hint, by)}."


def _delete(control: Control, by: str, hint: str) -> str:
    control.somebody_deletes_password(hint, by)
    return f"{by} deleted the password {hint}."


def _off(control: Control, by: str, job: str) -> str:
    control.somebody_switches_off(job, by)
    return f"{by} switched the encryption of {job} off; its next run is a plain full."


def _on(control: Control, by: str, job: str, hint: str) -> str:
    control.somebody_switches_on(job, hint, by)
    return f"{by} switched {job} to the password {hint}."


def _kms(control: Control, by: str, job: str, name: str) -> str:
    control.somebody_switches_to_kms(job, name, by)
    return f"{by} switched {job} to the KMS server {name}."


def _run(control: Control, _by: str, job: str) -> str:
    return f"{len(control.run_job(job))} restore points."


def _four_eyes(control: Control, by: str, state: str) -> str:
    control.four_eyes(on=state.casefold() == "on", by=by)
    return f"Four-eyes authorization is {state}."


def _events(control: Control, _by: str, verb: str) -> str:
    control.lose_events(on=verb.casefold() == "lose")
    return "Events are lost." if verb.casefold() == "lose" else "Events are sent."


def _later(control: Control, _by: str, minutes: str) -> str:
    control.move_clock(timedelta(minutes=int(minutes)))
    return f"It is {control.at.clock.told(control.at.clock.now())}."


def _told(control: Control, _by: str, what: str) -> str:
    at = control.at
    lists: dict[str, Callable[[], list[str]]] = {
        "jobs": control.jobs,
        "passwords": lambda: [
            f"{at.clock.told(one.modified_at)}  {one.hint}" for one in at.passwords.values()
        ],
        "events": lambda: [f"{one.number}  {one.fields.get('UserName', '')}" for one in control.events],
        "calls": lambda: [f"{one.status} {one.method} {one.path}" for one in control.seen[-40:]],
    }
    return "\n".join(lists[what.casefold()]()) or "None."


def _quit(_control: Control, _by: str) -> str:
    raise EOFError


_DEEDS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"somebody changes a password (.+)", _change),
    (r"somebody changes a hint (.+) to (.+)", _rename),
    (r"somebody creates a password (.+)", _create),
    (r"somebody deletes a password (.+)", _delete),
    (r"somebody switches off (.+)", _off),
    (r"somebody switches on (.+) with (.+)", _on),
    (r"somebody switches to kms (.+) with (.+)", _kms),
    (r"run all", lambda control, _by: f"{control.run_all()} restore points."),
    (r"run (.+)", _run),
    (r"four eyes (on|off)", _four_eyes),
    (r"(lose|send) events", _events),
    (r"later (\d{1,7})", _later),
    (r"(jobs|passwords|events|calls)", _told),
    (r"help", lambda _control, _by: HELP),
    (r"quit", _quit),
)

"""One request as a record: what was asked and decided, what ran, and what proves it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from accounts import selectors as people
from accounts.models import User
from approvals import selectors as approvals
from approvals.models import ApprovalRequest
from approvals.selectors import Record
from compliance.errors import Invalid, NotFound
from compliance.reports.document import Column, Document, Fact, Section, Table

NAME = "request"
TITLE = "Record of a request"
LEAD = "What was asked, who decided and what ran; as an evidence pack with what checks it outside."


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return the record of a request, named by its number or id. Raises Invalid, NotFound."""
    request = request_of(wanted, viewer)
    record = approvals.request_record(request, viewer)
    return Document(
        name=NAME,
        title=TITLE,
        lead=f"{record.title}. {record.outcome}",
        made_at=now,
        made_by=people.user_label(viewer),
        asked={"request": str(request)},
        sections=(_asked(record), _decided(record), _ran(record), _life(record)),
    )


def request_of(wanted: Mapping[str, str], viewer: User) -> ApprovalRequest:
    """Return the request that is meant, if it is the viewer's to know. Raises Invalid, NotFound."""
    text = wanted.get("request", "").strip()
    number = text.upper().removeprefix("R-")
    found = approvals.visible(viewer)
    # A number has no more digits than the database keeps.
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = found.filter(number=int(number))
    else:
        try:
            found = found.filter(pk=UUID(text))
        except ValueError as error:
            raise Invalid("Name a request by its number, such as R-1042.") from error
    request = found.first()
    if request is None:
        raise NotFound("There is no such request, or it is not yours to know.")
    return request


def _asked(record: Record) -> Section:
    detail, said = record.detail, record.detail.statement
    custody = Table(
        "custody",
        "Who was to hold the password",
        (
            Column("custodian", "Custodian"),
            Column("place", "Place"),
            Column("medium", "Medium"),
            Column("offsite", "Off-site"),
            Column("offline", "Offline"),
        ),
        tuple(
            (row["custodian"], row["place"], row["medium"], _yes(row["offsite"]), _yes(row["offline"]))
            for row in said.custody
        ),
        "Nothing was stated.",
    )
    answers = Table(
        "answers",
        "The procedure's questions",
        (Column("question", "Question"), Column("answer", "Answer")),
        tuple((one["question"], one["answer"]) for one in said.answers),
        "None were asked.",
    )
    facts = [Fact(f"change_{place}", label, value) for place, (label, value) in enumerate(record.change)]
    return Section(
        "What was asked",
        words=(f"Reason: {said.reason}", f"Procedure {said.procedure['version']}: {record.procedure}"),
        facts=(
            Fact("number", "Request", str(detail.request)),
            Fact("asked_by", "Asked by", detail.asker),
            Fact("asked_at", "Asked", detail.request.created_at),
            *facts,
            Fact("digest", "Digest of what was read and signed", detail.request.digest),
        ),
        tables=(custody, answers),
    )


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _decided(record: Record) -> Section:
    columns = (
        Column("who", "Who"),
        Column("verdict", "Decision"),
        Column("at", "When"),
        Column("factor", "Proved by"),
        Column("comment", "Comment"),
    )
    rows = tuple(
        (line.who, line.vote.verdict, line.vote.cast_at, line.factor, line.vote.comment)
        for line in record.detail.votes
    )
    return Section("Who decided", tables=(Table("votes", "Decisions", columns, rows, "Nobody yet."),))


def _ran(record: Record) -> Section:
    rekey = record.detail.rekey
    steps = () if rekey is None else tuple(rekey.steps.select_related("job").order_by("job__name"))
    columns = (
        Column("job", "Job"),
        Column("state", "State"),
        Column("before", "Key fingerprint before"),
        Column("after", "Key fingerprint after"),
        Column("ended_at", "Ended"),
        Column("signed", "Signed statement"),
    )
    signed = {one.job_id: str(one.pk) for one in record.attestations}
    rows = tuple(
        (
            step.job.name,
            step.get_state_display(),
            step.old_fingerprint[:16] or "none",
            step.new_fingerprint[:16] or "none",
            step.ended_at,
            signed.get(step.job_id, ""),
        )
        for step in steps
    )
    table = Table(
        "steps", "What the worker did, job by job", columns, rows, "No key or password was changed."
    )
    return Section("What ran", tables=(table,))


def _life(record: Record) -> Section:
    columns = (Column("at", "When"), Column("what", "What"), Column("entry", "Log entry"))
    rows = tuple((line.at, line.what, str(line.sequence)) for line in record.life)
    return Section(
        "Its life in the log",
        words=("verify_evidence checks the bundle of this request without this installation.",),
        facts=(Fact("keyid", "Key of the signatures", record.keyid),),
        tables=(Table("life", "Entries", columns, rows),),
    )

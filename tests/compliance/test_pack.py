"""The record and the evidence pack of one request: read, unpacked, and checked outside."""

import hashlib
import io
import json
import zipfile

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit import keys, merkle, note
from compliance.errors import Invalid, NotFound, PdfUnavailable
from compliance.models import Report
from compliance.reports import dossier, formats, pdf
from compliance.services import reporting
from tests.approvals.conftest import SECRET

pytestmark = pytest.mark.django_db


@pytest.fixture
def unprinted(monkeypatch) -> None:
    """Stands for the printer where a test is about something else."""
    monkeypatch.setattr(pdf, "pdf_of", lambda html: b"%PDF-1.7 " + html.encode())


@pytest.fixture
def unpacked(executed, people) -> dict[str, bytes]:
    """The pack of the executed request, as its reader unpacks it."""
    ordered = reporting.order("request", {"request": str(executed)}, by=people.auditor, form="zip")
    reporting.make(ordered.pk)
    taken = reporting.take(ordered.pk, by=people.auditor)
    with zipfile.ZipFile(io.BytesIO(bytes(taken.content))) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


@pytest.mark.usefixtures("unprinted")
def test_the_pack_holds_outside(unpacked, tmp_path, capsys, django_db_blocker):
    assert unpacked["record.pdf"].startswith(b"%PDF-1.7")
    path = tmp_path / "evidence.json"
    path.write_bytes(unpacked["evidence.json"])
    with django_db_blocker.block():
        call_command("verify_evidence", str(path))
    assert "The evidence holds" in capsys.readouterr().out
    sums = dict(reversed(line.split("  ")) for line in unpacked["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(data).hexdigest() for name, data in unpacked.items() if name != "SHA256SUMS"
    }
    assert not any(SECRET.encode() in data for data in unpacked.values())


@pytest.mark.usefixtures("unprinted")
def test_each_entry_leads_to_the_signed_root(unpacked):
    checkpoint = note.open_checkpoint(
        unpacked["checkpoint.txt"].decode(), keys.log_verifier(keys.signing_public())
    )
    proofs = json.loads(unpacked["proofs.json"])
    entries = {name: data for name, data in unpacked.items() if name.startswith("entries/")}
    assert len(entries) == len(proofs) > 3
    for name, data in entries.items():
        sequence = int(name.removeprefix("entries/").removesuffix(".json"))
        proof = [bytes.fromhex(step) for step in proofs[str(sequence)]]
        merkle.verify_inclusion(merkle.leaf_hash(data), sequence, checkpoint.size, proof, checkpoint.root)


def test_without_pango_the_record_is_in_it_as_html(executed, people, monkeypatch):
    def refuse(html: str) -> bytes:
        raise PdfUnavailable("Install libpango-1.0-0.")

    monkeypatch.setattr(pdf, "pdf_of", refuse)
    ordered = reporting.order("request", {"request": str(executed.pk)}, by=people.auditor, form="zip")
    reporting.make(ordered.pk)
    with zipfile.ZipFile(io.BytesIO(bytes(Report.objects.get().content))) as pack:
        assert {"record.html", "evidence.json"} <= set(pack.namelist())


def test_the_record_tells_the_whole_request(executed, people):
    told = formats.as_json(
        dossier.build(people.auditor, {"request": f" r-{executed.number} "}, timezone.now())
    )
    assert (told["facts"]["asked_by"], told["facts"]["digest"]) == ("Olga · Backup operator", executed.digest)
    assert told["tables"]["votes"][0] | {"at": ""} == {
        "who": "Dora · Security · DPO",
        "verdict": "approve",
        "at": "",
        "factor": "authenticator app",
        "comment": "Read it twice.",
    }
    assert [row["state"] for row in told["tables"]["steps"]] == ["Succeeded"]
    assert [row["what"] for row in told["tables"]["life"]][:2] == ["Asked", "Decided"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", Invalid),
        ("the last one", Invalid),
        ("R-0", NotFound),
        ("9" * 30, Invalid),
        ("00000000-0000-0000-0000-000000000001", NotFound),
    ],
)
def test_a_request_that_is_none_is_refused(people, text, error):
    with pytest.raises(error):
        dossier.build(people.auditor, {"request": text}, timezone.now())


def test_no_other_report_comes_as_a_pack(people):
    with pytest.raises(Invalid):
        reporting.order("governance", {}, by=people.auditor, form="zip")

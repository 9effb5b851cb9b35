"""The evidence pack of one request: its record to read, and all that checks it outside, in one zip."""

import base64
import hashlib
import io
import json
import zipfile
from typing import Any

from approvals import selectors as approvals
from approvals.models import ApprovalRequest
from compliance.errors import PdfUnavailable
from compliance.reports import formats, pdf
from compliance.reports.document import Document

_READ_ME = """\
Evidence of request R-{number}

{record} is the record to read.
evidence.json is the bundle: statement, votes, signed rosters, order, signed statements, log entries with
their proofs and the signed checkpoint. Anybody checks it without the installation it comes from:

    manage.py verify_evidence evidence.json

or by the written form of it, docs/evidence-format.md of VeeamSec.
entries/ has each log entry about this request, byte for byte: SHA-256 of 0x00 and these bytes is its leaf.
proofs.json has, by entry number, the hashes from that leaf to the root (RFC 6962).
checkpoint.txt is the signed head of the log that they lead to, as C2SP tools take it; key.txt is its key.
Compare that key with the one that you were given on another way.
SHA256SUMS has the SHA-256 of each file: sha256sum -c SHA256SUMS.
"""


def pack_of(request: ApprovalRequest, document: Document) -> bytes:
    """Return the pack of a request as a zip; where no PDF can be drawn, the record is in it as HTML."""
    html = formats.on_paper(document)
    try:
        record: tuple[str, bytes] = ("record.pdf", pdf.pdf_of(html))
    except PdfUnavailable:
        record = ("record.html", html.encode())
    bundle = approvals.evidence(request)
    files = dict([record]) | _evidence(bundle)
    files["README.txt"] = _READ_ME.format(number=request.number, record=record[0]).encode()
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    return _zip(files, document.made_at.timetuple()[:6])


def _evidence(bundle: dict[str, Any]) -> dict[str, bytes]:
    entries = bundle["log"]["entries"]
    proofs = {str(entry["sequence"]): entry["proof"] for entry in entries}
    return {
        "evidence.json": json.dumps(bundle, indent=1, sort_keys=True).encode(),
        "proofs.json": json.dumps(proofs, indent=1).encode(),
        "checkpoint.txt": (bundle["log"]["checkpoint"] or "").encode(),
        "key.txt": f"{bundle['log']['vkey']}\n".encode(),
        **{f"entries/{one['sequence']:09}.json": base64.b64decode(one["entry"]) for one in entries},
    }


def _zip(files: dict[str, bytes], made: tuple[int, ...]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in sorted(files.items()):
            year, month, day, hour, minute, second = made
            pack.writestr(zipfile.ZipInfo(name, (year, month, day, hour, minute, second)), data)
    return out.getvalue()

"""docs/evidence-format.md is true: each hash and signature in it, recomputed without the product's code."""

import base64
import hashlib
import json

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from fido2 import cbor

from .evidence import document, example

SHOWN = document.read()
BUNDLE = json.loads(document.BUNDLE.read_text())
TOLD = {name: json.loads(text) for name, text in SHOWN.items() if name != "checkpoint"}
VALUES = TOLD["values"]
PUBLIC = Ed25519PublicKey.from_public_bytes(base64.b64decode(VALUES["public_key_base64"]))
ENVELOPES = {
    "roster": BUNDLE["rosters"][0],
    "execution": BUNDLE["execution"],
    "order": BUNDLE["order"],
    "attestation": BUNDLE["attestations"][0],
}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_document_shows_what_the_product_makes():
    assert example.blocks() == SHOWN


def test_bundle_beside_it_is_what_the_product_makes():
    assert example.whole() == BUNDLE


@pytest.mark.parametrize("name", ["statement", "roster", "execution", "order", "attestation", "entry"])
def test_digest_is_that_of_the_canonical_form(name):
    assert digest(rfc8785.dumps(TOLD[name])) == VALUES[f"{name}_sha256"]


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelope_holds_the_shown_document(name):
    assert base64.b64decode(ENVELOPES[name]["payload"]) == rfc8785.dumps(TOLD[name])


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelope_is_signed_as_written(name):
    kind, payload = ENVELOPES[name]["payloadType"].encode(), base64.b64decode(ENVELOPES[name]["payload"])
    [signature] = ENVELOPES[name]["signatures"]
    signed = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    PUBLIC.verify(base64.b64decode(signature["sig"]), signed)
    assert signature["keyid"] == VALUES["keyid"]


def test_payload_types_tell_the_kinds_apart():
    assert len({envelope["payloadType"] for envelope in ENVELOPES.values()}) == len(ENVELOPES)


def test_shown_envelope_is_that_of_the_roster():
    assert TOLD["envelope"] == ENVELOPES["roster"]


def test_keyid_is_the_digest_of_the_raw_key():
    assert digest(base64.b64decode(VALUES["public_key_base64"])) == VALUES["keyid"] == BUNDLE["key"]["keyid"]


def test_attestation_names_the_order_by_its_envelope():
    named = TOLD["attestation"]["predicate"]["order_sha256"]
    assert named == VALUES["order_envelope_sha256"] == digest(rfc8785.dumps(BUNDLE["order"]))


def test_documents_name_the_statement_by_its_digest():
    named = {
        TOLD["challenge"]["digest"],
        TOLD["vote"]["digest"],
        TOLD["execution"]["request_digest"],
        TOLD["order"]["request_digest"],
        TOLD["attestation"]["predicate"]["request_digest"],
        TOLD["entry"]["facts"]["digest"],
    }
    assert named == {VALUES["statement_sha256"]}


def test_procedure_is_named_by_the_digest_of_questions_and_text():
    questions = [answer["question"] for answer in TOLD["statement"]["answers"]]
    body = rfc8785.dumps({"questions": questions, "text": "Ask first."})
    assert TOLD["statement"]["procedure"]["sha256"] == digest(body)


def test_challenge_is_the_digest_in_base64url():
    challenge = hashlib.sha256(rfc8785.dumps(TOLD["challenge"])).digest()
    assert base64url(VALUES["challenge_base64url"]) == challenge


def test_challenge_binds_the_comment():
    assert TOLD["challenge"]["comment_digest"] == digest(TOLD["vote"]["comment"].encode())


def test_passkey_signed_this_challenge_at_this_origin():
    response = TOLD["vote"]["proof"]["response"]["response"]
    client = json.loads(base64url(response["clientDataJSON"]))
    assert (client["type"], client["challenge"], client["origin"], client["crossOrigin"]) == (
        "webauthn.get",
        VALUES["challenge_base64url"],
        VALUES["origin"],
        False,
    )


def test_passkey_of_the_roster_made_the_signature():
    [voter] = [seat for seat in TOLD["roster"]["security"] if seat["user"] == TOLD["vote"]["voter"]]
    [credential] = voter["credentials"]
    assert credential["id"] == TOLD["vote"]["proof"]["credential"]
    cose = cbor.decode(base64url(credential["public_key"]))
    x, y = (int.from_bytes(cose[part], "big") for part in (-2, -3))
    key = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    response = TOLD["vote"]["proof"]["response"]["response"]
    data, client = base64url(response["authenticatorData"]), base64url(response["clientDataJSON"])
    signed = data + hashlib.sha256(client).digest()
    key.verify(base64url(response["signature"]), signed, ECDSA(SHA256()))
    assert data[:32] == hashlib.sha256(b"localhost").digest()
    assert data[32] & 0x05 == 0x05


def test_name_is_committed_to_with_its_salt():
    commitment = digest(bytes.fromhex(VALUES["name_salt"]) + VALUES["name"].encode())
    assert TOLD["entry"]["names"] == {"actor": commitment} == {"actor": VALUES["name_commitment"]}


def test_leaf_is_hashed_with_its_prefix():
    assert TOLD["proof"]["leaf_hash"] == digest(b"\x00" + rfc8785.dumps(TOLD["entry"]))


def test_proof_leads_to_the_root():
    """Leaf 3 of 6, by hand: left, left, right."""
    first, second, third = (bytes.fromhex(step) for step in TOLD["proof"]["proof"])
    found = hashlib.sha256(b"\x01" + first + bytes.fromhex(TOLD["proof"]["leaf_hash"])).digest()
    found = hashlib.sha256(b"\x01" + second + found).digest()
    assert digest(b"\x01" + found + third) == TOLD["proof"]["root"]


def test_checkpoint_is_a_signed_note_of_three_lines():
    text, signature = SHOWN["checkpoint"].split("\n\n")
    origin, size, root = text.split("\n")
    dash, name, encoded = signature.split(" ")
    raw, key = base64.b64decode(encoded), PUBLIC.public_bytes_raw()
    assert (dash, name, size) == ("—", origin, str(len(example.entries)))
    assert origin == f"veeamsec.dev/log/{VALUES['keyid'][:32]}"
    assert base64.b64decode(root).hex() == TOLD["proof"]["root"]
    assert raw[:4] == hashlib.sha256(f"{name}\n\x01".encode() + key).digest()[:4]
    PUBLIC.verify(raw[4:], f"{text}\n".encode())


def test_vkey_carries_name_hash_and_key():
    name, key_hash, encoded = VALUES["vkey"].split("+", 2)
    assert base64.b64decode(encoded) == b"\x01" + PUBLIC.public_bytes_raw()
    assert key_hash == digest(f"{name}\n".encode() + base64.b64decode(encoded))[:8]


def test_bundle_is_accepted_by_the_command(tmp_path, capsys):
    call_command(
        "verify_evidence",
        str(document.BUNDLE),
        "--key",
        str(key_file(tmp_path)),
        "--origin",
        VALUES["origin"],
    )
    assert "The evidence holds" in capsys.readouterr().out


def test_bundle_with_a_changed_comment_is_refused(tmp_path):
    changed = json.loads(document.BUNDLE.read_text())
    changed["votes"][0]["comment"] = "Checked with nobody."
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(CommandError, match="does not hold"):
        call_command(
            "verify_evidence", str(path), "--key", str(key_file(tmp_path)), "--origin", VALUES["origin"]
        )


def test_signature_over_another_payload_type_does_not_hold():
    """Why a roster can never pass for an order."""
    payload = base64.b64decode(ENVELOPES["roster"]["payload"])
    kind = ENVELOPES["order"]["payloadType"].encode()
    signed = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(base64.b64decode(ENVELOPES["roster"]["signatures"][0]["sig"]), signed)


def key_file(folder):
    path = folder / "signing.pub"
    path.write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path

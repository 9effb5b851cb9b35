"""The address of a key provider: one form each, and every fault by its name."""

import pytest

from encryption.crypto.providers import choice

TOKEN = "pkcs11:token=t?module-path=/bin/sh&pin-source=file:/p"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("vault", "none of"),
        ("", "none of"),
        ("pkcs11:", "names no token"),
        ("pkcs11:token=t?module-path=/bin/sh", "names no pin-source"),
        ("pkcs11:token=t?pin-source=file:/p", "names no module-path"),
        (TOKEN + "&pin-value=1234", "holds a PIN"),
        (TOKEN.replace("file:/p", "p"), "neither file"),
        (TOKEN.replace("/bin/sh", "sh"), "not absolute"),
        (TOKEN.replace("/bin/sh", "/absent.so"), "/absent.so is missing"),
        (TOKEN.replace("token=t", "token=t;id=1"), "attribute id"),
        ("kmip://", "names no server"),
        ("kmip://h?ca=/a&cert=/b", "no file for key"),
        ("kmip://me:secret@h?ca=/a&cert=/b&key=/c", "holds an account"),
        ("systemd", "CREDENTIALS_DIRECTORY"),
    ],
)
def test_a_wrong_address_is_refused_by_name(said, fault, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    found = choice.faults(said)
    assert fault in " ".join(found)
    assert "1234" not in " ".join(found)
    assert "secret" not in " ".join(found)


def test_a_right_address_has_no_fault(tmp_path):
    (tmp_path / "pin").write_text("1234")
    (tmp_path / "pin").chmod(0o600)
    assert choice.faults("files") == []
    assert choice.faults(TOKEN.replace("/p", f"{tmp_path}/pin")) == []


def test_a_pin_that_others_can_read_is_a_fault(tmp_path):
    (tmp_path / "pin").write_text("1234")
    (tmp_path / "pin").chmod(0o604)
    assert "open to its group or to others" in " ".join(choice.faults(TOKEN.replace("/p", f"{tmp_path}/pin")))

"""Nobody fills the disk with files that no page takes."""

import tempfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/account/login/", "/start/nobody/"])
def test_anonymous_upload_is_written_nowhere(client, address, monkeypatch):
    made = []
    real = tempfile.NamedTemporaryFile
    monkeypatch.setattr(
        "django.core.files.uploadedfile.tempfile.NamedTemporaryFile",
        lambda *args, **kwargs: made.append(args) or real(*args, **kwargs),
    )
    big = SimpleUploadedFile("big", bytes(4_000_000))
    answer = client.post(address, {"login": "x", "password": "y", "file": big})
    assert answer.status_code < 500
    assert made == []

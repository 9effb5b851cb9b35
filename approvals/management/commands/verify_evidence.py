"""`verify_evidence FILE`: check a bundle of evidence offline, without the database."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from approvals.attestation.bundle import MAX_BUNDLE, verify_bundle
from approvals.errors import EvidenceInvalid
from audit import keys


class Command(BaseCommand):
    help = "Check a bundle of evidence offline, against a public signing key that you trust."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--key", type=Path, help="the public signing key (PEM); default: this installation's"
        )
        parser.add_argument(
            "--origin", default=settings.VEEAMSEC_ORIGIN, help="the address people decided at"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        public = _key(options["key"] or Path(settings.PUBLIC_KEYS) / keys.PUBLIC)
        try:
            report = verify_bundle(_bundle(options["file"]), public, origin=options["origin"].rstrip("/"))
        except EvidenceInvalid as error:
            raise CommandError(f"This evidence does not hold. {error}") from error
        for line in report.proven:
            self.stdout.write(f"  ok  {line}")
        self.stdout.write(self.style.SUCCESS(f"The evidence holds under the key {keys.keyid(public)}."))


def _bundle(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BUNDLE:
            raise CommandError("This file is too long for a bundle of evidence.")
        bundle = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CommandError("This file cannot be read as a bundle of evidence.") from error
    if not isinstance(bundle, dict):
        raise CommandError("This file is no bundle of evidence.")
    return bundle


def _key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes()[: keys.LARGEST])
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise CommandError(f"{path} cannot be read as a public key.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise CommandError(f"{path} holds no Ed25519 key.")
    return key

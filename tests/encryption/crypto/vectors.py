"""Published known answers: from `cryptography_vectors`, and Wycheproof from a folder beside the checkout."""

import json
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest

WYCHEPROOF = Path(__file__).parents[4] / "shared" / "vectors" / "wycheproof"


def wycheproof(name: str) -> Iterator[tuple[dict, dict]]:
    """Yield (group, test) of a Wycheproof file; skips the calling test when the file is not there."""
    path = WYCHEPROOF / name
    if not path.exists():
        pytest.skip(f"Wycheproof's {name} is not beside this checkout")
    for group in json.loads(path.read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test


def nist(path: str) -> Iterator[dict[str, str]]:
    """Yield the cases of a NIST-style file; names in lower case, `fail` for what must be refused."""
    section: dict[str, str] = {}
    case: dict[str, str] = {}
    with cryptography_vectors.open_vector_file(path, "r") as file:
        for line in file:
            text = line.strip()
            name, separator, value = (part.strip() for part in text.strip("[]").partition("="))
            if case and (text.startswith("[") or name.lower() == "count"):
                yield section | case
                case = {}
            if text.startswith("["):
                section[name.lower()] = value
            elif text == "FAIL":
                case["fail"] = "1"
            elif separator and not text.startswith("#"):
                case[name.lower()] = value
    if case:
        yield section | case


def vectors(path: str) -> list[dict]:
    """Return the cases of a JSON file of `cryptography_vectors`."""
    with cryptography_vectors.open_vector_file(path, "r") as file:
        return json.load(file)

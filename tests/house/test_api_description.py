"""The API's description: the file in docs/ is what the code says, and it says enough."""

from functools import cache
from typing import Any

import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator

from tests.house.sources import ROOT

# Creates nothing: a decision is single use by its nonce, a second withdrawal or decision is refused.
NOTHING_NEW = (
    "acknowledge",
    "approve",
    "reject",
    "challenge",
    "withdraw",
    "suspend",
    "confirm",
    "lift",
    "alarm",
)


@cache
def described() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, one) for path, item in described()["paths"].items() for method, one in item.items()
    ]


POSTS = [path for path, method, _ in operations() if method == "post"]


def test_the_file_is_what_the_code_says():
    assert yaml.safe_load((ROOT / "docs/openapi.yaml").read_text()) == described(), "make openapi"


@pytest.mark.parametrize("path", POSTS)
def test_what_creates_takes_an_idempotency_key(path):
    operation = described()["paths"][path]["post"]
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    assert ("Idempotency-Key" in names) != path.strip("/").endswith(NOTHING_NEW)


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_a_body_has_an_example(path, method, operation):
    for media in operation.get("requestBody", {}).get("content", {}).values():
        assert media.get("examples") or media.get("example"), operation["operationId"]


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_an_operation_names_its_problems(path, method, operation):
    assert {"400", "401", "403", "404", "406", "429", "500"} <= set(operation["responses"])


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_an_operation_says_what_it_does(path, method, operation):
    assert operation.get("description")


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_a_list_comes_in_pages(path, method, operation):
    for answer in operation["responses"].values():
        for media in answer.get("content", {}).values():
            assert media["schema"].get("type") != "array", operation["operationId"]

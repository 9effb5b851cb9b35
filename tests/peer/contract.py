"""The vendor's specification as a judge, where it lies beside the project."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

SLICE = Path(__file__).resolve().parents[3] / "shared" / "vbr"


@cache
def judge() -> Any:
    """The specification, loaded once; skips the test where it, or openapi-core, is absent."""
    core = pytest.importorskip("openapi_core")
    path = SLICE / "cut_cycles.py"
    if not path.exists():
        pytest.skip("the vendor's specification is not beside the project")
    spec = importlib.util.spec_from_file_location("cut_cycles", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return core.OpenAPI.from_dict(module.load())


def check(answer: httpx.Response) -> httpx.Response:
    """Hold an answer, and the request that it answers, against the specification; returns the answer."""
    from openapi_core.testing import MockRequest, MockResponse

    asked = answer.request
    kind = asked.headers.get("content-type", "application/json").partition(";")[0]
    request = MockRequest(
        "https://localhost",
        asked.method.lower(),
        asked.url.path,
        args=dict(asked.url.params),
        headers=dict(asked.headers),
        data=asked.content or None,
        content_type=kind,
    )
    judge().validate_response(
        request,
        MockResponse(
            answer.content,
            status_code=answer.status_code,
            headers=dict(answer.headers),
            content_type=answer.headers.get("content-type", "application/json").partition(";")[0],
        ),
    )
    judge().validate_request(request)
    return answer

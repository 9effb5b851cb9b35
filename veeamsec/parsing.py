"""How a body of the API is read: one JSON object, bounded before it is looked at."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class TooLarge(exceptions.APIException):
    """More than a body of the API can be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The body is too large."


class Body(BaseParser):
    """JSON as RFC 8259 has it: no NaN, no name twice, no endless nesting, an object at the top."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object. ParseError for anything else, TooLarge before more than the limit is read."""
        # The framework reads the stream past Django's own limit.
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            body = json.loads(_text(raw), object_pairs_hook=_once, parse_constant=_refuse)
        except RecursionError as error:
            raise exceptions.ParseError("The body is nested too deeply.") from error
        except ValueError as error:
            raise exceptions.ParseError(f"The body is no JSON: {error}") from error
        if not isinstance(body, dict):
            raise exceptions.ParseError("The body must be one JSON object.")
        return body


def _text(raw: bytes) -> str:
    if NUL.search(raw):
        raise ValueError("no text holds a NUL")
    if b"\\ud" in raw.lower():
        # Half of a pair of surrogates is no character: no database and no digest takes it.
        json.dumps(json.loads(raw), ensure_ascii=False).encode()
    return raw.decode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two values under one name, readers take different ones.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")

"""What a call is answered with: a value, a page of a list, or a refusal in the form of the API."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Model = dict[str, Any]
Query = dict[str, list[str]]

PAGE = 200


@dataclass(frozen=True)
class Raw:
    """JSON that is given back as it was received."""

    text: str


@dataclass(frozen=True)
class Answer:
    """A status with its body; None is an answer without one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as it is sent."""
        return b"" if self.body is None else dump(self.body).encode()


class Refusal(Exception):
    """An answer of another kind: raised where a call cannot be done."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        resource: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        body = {"errorCode": code, "message": message} | ({"resourceId": resource} if resource else {})
        self.answer = Answer(status, body, headers or {})


def gone(resource: str) -> Refusal:
    """There is no such object."""
    return Refusal(404, "NotFound", "Resource does not exist", resource=resource)


def unexpected(message: str) -> Refusal:
    """What was sent is not what the call takes."""
    return Refusal(400, "UnexpectedContent", message)


def dump(value: Any) -> str:
    """JSON of a value in which `Raw` stands for itself."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict) and any(isinstance(inner, Raw | list) for inner in value.values()):
        return "{" + ",".join(f"{json.dumps(name)}:{dump(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list) and any(isinstance(inner, Raw) for inner in value):
        return "[" + ",".join(dump(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def first(query: Query, name: str) -> str | None:
    """The value of a parameter, None where it is not given."""
    values = query.get(name)
    return values[0] if values else None


def several(query: Query, name: str) -> list[str]:
    """The values of a parameter that may be given often, or once with commas."""
    return [one for value in query.get(name, []) for one in value.split(",") if one]


def number(query: Query, name: str, default: int) -> int:
    """A parameter that is a number. Raises Refusal (400)."""
    given = first(query, name)
    if given is None:
        return default
    if not re.fullmatch(r"\d{1,9}", given):
        raise unexpected(f"The parameter {name} is not valid.")
    return int(given)


def switched(query: Query, name: str) -> bool | None:
    """A parameter that is a switch, None where it is not given. Raises Refusal (400)."""
    given = first(query, name)
    if given is None:
        return None
    if given.casefold() not in ("true", "false"):
        raise unexpected(f"The parameter {name} is not valid.")
    return given.casefold() == "true"


def alike(pattern: str | None) -> Callable[[str], bool]:
    """A test of texts against a filter, in which * stands for any characters."""
    if pattern is None:
        return lambda _text: True
    wanted = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE | re.DOTALL)
    return lambda text: wanted.fullmatch(text) is not None


def ordered(models: Iterable[Model], query: Query, columns: Sequence[str]) -> list[Model]:
    """The models in the order that was asked for. Raises Refusal (400) for a column that there is not."""
    found = list(models)
    column = first(query, "orderColumn")
    if column is None:
        return found
    name = next((one for one in columns if one.casefold() == column.casefold()), None)
    if name is None:
        raise unexpected("The parameter orderColumn is not valid.")
    key = name[0].lower() + name[1:]
    found.sort(key=lambda model: str(model.get(key) or "").casefold())
    if switched(query, "orderAsc") is False:
        found.reverse()
    return found


def page(models: Sequence[Any], query: Query, shown: Callable[[Any], Any] = lambda one: one) -> Answer:
    """One page of a list; only what stands on it is rendered."""
    skip, limit = number(query, "skip", 0), number(query, "limit", PAGE)
    data = [shown(one) for one in models[skip : skip + limit]]
    pagination = {"total": len(models), "count": len(data), "skip": skip, "limit": limit}
    return Answer(200, {"data": data, "pagination": pagination})

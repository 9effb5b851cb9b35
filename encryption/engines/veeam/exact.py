"""JSON that goes back as it came: order, nulls, unknown fields, and the digits of every number.

A job is changed by sending its whole model. What this product does not know must come back untouched, so a
number keeps its text: `1.10` read as a float would be sent as `1.1`.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn, Self

from encryption.errors import VeeamUnexpected


class Number(float):
    """A number with a fraction or an exponent, and the text that it was read from."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read `text`, and keep it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)


class Whole(int):
    """A whole number whose text is not its own, such as -0."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read `text`, and keep it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)


def loads(content: bytes) -> Any:
    """Read JSON so that `dumps` gives it back; raises VeeamUnexpected for what cannot be kept."""
    try:
        return json.loads(
            content,
            parse_float=Number,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError):
        raise VeeamUnexpected("The Veeam server's answer is not JSON that can be kept as it is.") from None


def loads_plain(content: bytes) -> Any:
    """Read JSON that is never sent back, five times as fast; raises VeeamUnexpected."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise VeeamUnexpected("The Veeam server's answer is not JSON.") from None


def dumps(value: Any) -> bytes:
    """Write JSON in ASCII; raises VeeamUnexpected for what no JSON can hold."""
    try:
        return "".join(_pieces(value)).encode("ascii")
    except RecursionError:
        raise VeeamUnexpected("A model is nested too deeply to be sent.") from None


def same(one: Any, other: Any) -> bool:
    """Say whether two models are the same to the last digit; the order of fields does not count."""
    return dumps(_sorted(one)) == dumps(_sorted(other))


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for position, (name, inner) in enumerate(value.items()):
            yield f"{',' if position else ''}{json.dumps(name)}:"
            yield from _pieces(inner)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for position, inner in enumerate(value):
            if position:
                yield ","
            yield from _pieces(inner)
        yield "]"
    elif isinstance(value, Number | Whole):
        yield value.text
    else:
        yield json.dumps(value, allow_nan=False)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _whole(text: str) -> int:
    # Python bounds the digits that it converts; a longer number raises ValueError and is refused.
    number = int(text)
    return number if str(number) == text else Whole(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")

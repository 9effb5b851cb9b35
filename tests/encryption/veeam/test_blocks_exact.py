"""JSON that goes back as it came, to the digit."""

import copy

import pytest
from hypothesis import given

from encryption.engines.veeam import exact
from encryption.errors import VeeamUnexpected
from tests.encryption.veeam.invented import NUMBERS, VALUES


@given(NUMBERS)
def test_the_text_of_a_number_comes_back(text):
    assert exact.dumps(exact.loads(text.encode())) == text.encode()


@given(VALUES)
def test_json_comes_back_as_it_was_read(value):
    content = exact.dumps(value)
    assert exact.dumps(exact.loads(content)) == content


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a":1,"a":2}', b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000]
)
def test_what_cannot_be_kept_is_refused(content):
    with pytest.raises(VeeamUnexpected):
        exact.loads(content)


def test_a_surrogate_comes_back():
    assert exact.dumps(exact.loads(rb'"\ud800"')) == rb'"\ud800"'


def test_a_copy_of_a_number_keeps_its_text():
    assert exact.dumps(copy.deepcopy(exact.loads(b"[1.10,-0]"))) == b"[1.10,-0]"


def test_the_same_model_in_another_order_is_the_same():
    assert exact.same({"a": 1, "b": [None]}, {"b": [None], "a": 1})


def test_another_digit_is_not_the_same():
    assert not exact.same(exact.loads(b"[1.1]"), exact.loads(b"[1.10]"))

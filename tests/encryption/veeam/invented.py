"""JSON that tests invent, with numbers whose text is not their own."""

from hypothesis import strategies as st

from encryption.engines.veeam import exact

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
LEAVES = st.one_of(st.none(), st.booleans(), st.text(), NUMBERS.map(lambda text: exact.loads(text.encode())))
NAMES = st.text(min_size=1).filter(lambda name: "encryption" not in name.casefold())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)

"""The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1): SHA-256, 0x00 before a leaf, 0x01 before two children.

Proofs are made from the leaf hashes and checked without them. A frontier is the tree in short: the roots of
its perfect subtrees, largest first; it grows leaf by leaf, so a checkpoint costs only what is new.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from audit.errors import Forged

EMPTY_ROOT = hashlib.sha256(b"").digest()

# A tree of 2^63 leaves needs no longer proof; whatever is longer is not one.
MAX_PROOF = 63


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, held as the roots of its perfect subtrees."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Take up a tree of `size` leaves; raises ValueError when the hashes cannot be its subtrees."""
        if size < 0 or len(hashes) != size.bit_count() or any(len(one) != 32 for one in hashes):
            raise ValueError("these are not the subtrees of a tree of that size")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest first."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        merges = (~self.size & (self.size + 1)).bit_length() - 1
        for _ in range(merges):
            leaf = node_hash(self._hashes.pop(), leaf)
        self._hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self._hashes:
            return EMPTY_ROOT
        *rest, found = self._hashes
        for left in reversed(rest):
            found = node_hash(left, found)
        return found


Subtree = Callable[[int, int], bytes]


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def subtrees(leaves: Sequence[bytes]) -> Subtree:
    """Return the function `(start, end) -> root` over ranges of these leaf hashes."""
    return lambda start, end: root(leaves[start:end])


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves; IndexError if it is not."""
    if not 0 <= index < size:
        raise IndexError(index)
    return _path(index, 0, size, subtree)


def _path(index: int, start: int, end: int, subtree: Subtree) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, subtree), subtree(middle, end)]
    return [*_path(index, middle, end, subtree), subtree(start, middle)]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of `old` leaves begins that of `new`; IndexError if it is larger."""
    if not 0 <= old <= new:
        raise IndexError(old)
    if old in (0, new):
        return []
    return _subproof(old, 0, new, subtree, whole=True)


def _subproof(old: int, start: int, end: int, subtree: Subtree, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [subtree(start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, subtree, whole=whole), subtree(middle, end)]
    return [*_subproof(old, middle, end, subtree, whole=False), subtree(start, middle)]


def _split(size: int) -> int:
    # The largest power of two below size.
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Accept that a leaf hash stands at `index` under a root (RFC 9162 §2.1.3.2), or raise Forged."""
    if not 0 <= index < size or len(proof) > MAX_PROOF:
        raise Forged("The inclusion proof is not one.")
    found = leaf
    for on_the_left, step in _climb(index, size - 1, proof):
        found = node_hash(step, found) if on_the_left else node_hash(found, step)
    if found != expected:
        raise Forged("The inclusion proof leads to another root.")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Accept that one tree begins with the other (RFC 9162 §2.1.4.2), or raise Forged."""
    if not 0 <= old <= new or len(proof) > MAX_PROOF:
        raise Forged("The consistency proof is not one.")
    if old in (0, new):
        if proof or old_root != (new_root if old else EMPTY_ROOT) or (not new and new_root != EMPTY_ROOT):
            raise Forged("The consistency proof leads to another root.")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise Forged("The consistency proof is too short.")
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    found_old = found_new = path[0]
    for on_the_left, step in _climb(number, last, path[1:]):
        if on_the_left:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
        else:
            found_new = node_hash(found_new, step)
    if found_old != old_root or found_new != new_root:
        raise Forged("The consistency proof leads to another root.")


def _climb(number: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Walk from a node to the root: for each step of the proof, whether it stands on the left."""
    for step in proof:
        if last == 0:
            raise Forged("The proof is too long.")
        on_the_left = bool(number & 1) or number == last
        yield on_the_left, step
        while on_the_left and number and not number & 1:
            number, last = number >> 1, last >> 1
        number, last = number >> 1, last >> 1
    if last:
        raise Forged("The proof is too short.")

"""The tree against RFC 6962's own definition, written down a second time, and against known roots."""

import hashlib
from functools import cache

import pytest

from audit import merkle
from audit.errors import Forged

MOST = 130
LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(MOST)]
# The tree of the Certificate Transparency reference implementation.
KNOWN_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@cache
def mth(start: int, end: int) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if end - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < end - start:
        split *= 2
    return hashlib.sha256(b"\x01" + mth(start, start + split) + mth(start + split, end)).digest()


def test_empty_root_is_the_hash_of_nothing():
    assert merkle.Frontier().root() == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_known_tree_has_its_known_root(size):
    leaves = [merkle.leaf_hash(entry) for entry in KNOWN_ENTRIES[:size]]
    assert merkle.root(leaves).hex() == KNOWN_ROOTS[size - 1]


def test_frontier_grows_to_the_defined_root_at_every_size():
    frontier = merkle.Frontier()
    for size in range(1, MOST + 1):
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == mth(0, size)


def test_frontier_taken_up_again_goes_on_alike():
    for size in range(MOST):
        frontier = merkle.Frontier()
        for leaf in LEAVES[:size]:
            frontier.append(leaf)
        again = merkle.Frontier(size, frontier.hashes)
        again.append(LEAVES[size])
        assert again.root() == mth(0, size + 1)


@pytest.mark.parametrize(("size", "hashes"), [(3, [b"x" * 32]), (-1, []), (1, [b"short"])])
def test_frontier_of_another_shape_is_refused(size, hashes):
    with pytest.raises(ValueError):
        merkle.Frontier(size, hashes)


def test_inclusion_of_every_leaf_in_every_tree_holds():
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, mth)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, mth(0, size))


def test_consistency_of_every_pair_of_trees_holds():
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, mth)
            merkle.verify_consistency(old, new, proof, mth(0, old), mth(0, new))


def test_consistency_with_the_empty_tree_needs_no_proof():
    merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, mth(0, 5))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 130])
def test_inclusion_of_another_leaf_is_forged(size):
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, mth)
        with pytest.raises(Forged):
            merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, mth(0, size))


@pytest.mark.parametrize("size", [2, 3, 7, 8, 9, 64, 130])
def test_inclusion_at_another_place_is_forged(size):
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, mth)
        with pytest.raises(Forged):
            merkle.verify_inclusion(LEAVES[index], (index + 1) % size, size, proof, mth(0, size))


@pytest.mark.parametrize("change", ["drop first", "drop last", "double", "flip", "swap"])
def test_changed_inclusion_proof_is_forged(change):
    for size in range(5, 70):
        proof = merkle.inclusion_proof(size // 3, size, mth)
        with pytest.raises(Forged):
            merkle.verify_inclusion(LEAVES[size // 3], size // 3, size, _changed(proof, change), mth(0, size))


@pytest.mark.parametrize("change", ["drop first", "drop last", "double", "flip", "swap"])
def test_changed_consistency_proof_is_forged(change):
    for new in range(6, 70):
        for old in range(3, new):
            proof = merkle.consistency_proof(old, new, mth)
            if len(proof) < 2:
                continue
            with pytest.raises(Forged):
                merkle.verify_consistency(old, new, _changed(proof, change), mth(0, old), mth(0, new))


def test_tree_that_was_rewritten_is_not_consistent():
    other = [merkle.leaf_hash(b"other"), *LEAVES[1:]]
    for new in range(2, 40):
        for old in range(1, new):
            proof = merkle.consistency_proof(old, new, merkle.subtrees(other))
            with pytest.raises(Forged):
                merkle.verify_consistency(old, new, proof, mth(0, old), merkle.root(other[:new]))


def test_proof_longer_than_any_tree_is_refused_before_work():
    with pytest.raises(Forged):
        merkle.verify_inclusion(LEAVES[0], 0, 1 << 62, [b"x" * 32] * 64, b"y" * 32)


def test_smaller_tree_cannot_begin_with_a_larger_one():
    with pytest.raises(Forged):
        merkle.verify_consistency(9, 8, [], mth(0, 9), mth(0, 8))


def _changed(proof: list[bytes], change: str) -> list[bytes]:
    if change == "drop first":
        return proof[1:]
    if change == "drop last":
        return proof[:-1]
    if change == "double":
        return [*proof, proof[-1]]
    if change == "swap":
        return [proof[1], proof[0], *proof[2:]]
    return [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]

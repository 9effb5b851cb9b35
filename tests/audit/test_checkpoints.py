"""Checkpoints: signed with news alone, grown from the last one, and put outside the database."""

import pytest

from audit import keys, merkle, note, selectors
from audit import services as audit
from audit.errors import KeyUnavailable
from audit.models import Checkpoint, Entry
from audit.services import outside

pytestmark = pytest.mark.django_db


def test_checkpoint_is_signed_over_all_entries(signing, write):
    write(7)
    made = audit.sign_checkpoint()
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("sequence").values_list("leaf_hash", flat=True)]
    head = note.open_checkpoint(made.note, keys.log_verifier(signing.public_key()))
    assert (head.size, head.root) == (7, merkle.root(leaves))


def test_checkpoint_without_news_is_not_signed(signing, write):
    write(3)
    audit.sign_checkpoint()
    assert audit.sign_checkpoint() is None


def test_empty_log_is_not_signed(signing):
    assert audit.sign_checkpoint() is None


def test_checkpoint_grown_from_the_last_is_that_of_the_whole(signing, write):
    for count in (1, 2, 5, 8, 13):
        write(count)
        audit.sign_checkpoint()
    assert audit.verify().findings == ()


def test_checkpoint_hashes_only_what_is_new(signing, write, monkeypatch):
    write(50)
    audit.sign_checkpoint()
    write(2)
    hashed, leaf_hash = [], merkle.leaf_hash
    monkeypatch.setattr(merkle, "leaf_hash", lambda entry: hashed.append(entry) or leaf_hash(entry))
    audit.sign_checkpoint()
    assert len(hashed) == 2


def test_note_lies_outside_as_it_was_signed(signing, write):
    write(2)
    made = audit.sign_checkpoint()
    assert outside.read(outside.newest()) == made.note


def test_notes_that_were_lost_outside_are_put_back(signing, write):
    write(2)
    audit.sign_checkpoint()
    outside.newest().unlink()
    audit.sign_checkpoint()
    assert outside.size_of(outside.newest()) == 2


def test_note_outside_is_never_replaced(signing, write):
    write(2)
    made = audit.sign_checkpoint()
    outside.write(made.size, made.time, "something else")
    assert outside.read(outside.newest()) == made.note


def test_checkpoint_without_a_key_is_not_signed(signing, write, settings, tmp_path):
    settings.WORKER_KEYS = tmp_path / "nowhere"
    write(2)
    with pytest.raises(KeyUnavailable):
        audit.sign_checkpoint()
    assert not Checkpoint.objects.exists()


def test_key_that_others_can_read_is_refused(signing, tmp_path):
    (tmp_path / "keys" / keys.PRIVATE).chmod(0o644)
    with pytest.raises(KeyUnavailable, match="Others can read"):
        keys.signing_key()


def test_key_behind_a_link_is_refused(signing, tmp_path):
    path = tmp_path / "keys" / keys.PRIVATE
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyUnavailable):
        keys.signing_key()


@pytest.mark.parametrize("sequence", [0, 1, 9, 36])
def test_inclusion_of_an_entry_is_proved(signing, write, sequence):
    write(37)
    checkpoint = audit.sign_checkpoint()
    proof = selectors.inclusion(sequence, checkpoint)
    leaf = bytes(Entry.objects.get(pk=sequence).leaf_hash)
    merkle.verify_inclusion(leaf, sequence, 37, proof, bytes.fromhex(checkpoint.root))


def test_inclusion_in_a_larger_log_uses_kept_subtrees(
    signing, write, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(selectors, "KEPT_SUBTREE", 8)
    write(70)
    checkpoint = audit.sign_checkpoint()
    selectors.inclusion(5, checkpoint)
    with django_assert_max_num_queries(7):
        selectors.inclusion(6, checkpoint)


def test_subtrees_kept_from_another_database_are_not_trusted(signing, write, monkeypatch):
    monkeypatch.setattr(selectors, "KEPT_SUBTREE", 8)
    write(70)
    checkpoint = audit.sign_checkpoint()
    selectors.cache.set("audit:subtree:64:64", b"x" * 32)
    for start in range(0, 64, 8):
        selectors.cache.set(f"audit:subtree:{start}:{start + 8}", b"x" * 32)
    assert selectors.inclusion(5, checkpoint)


def test_entry_after_the_checkpoint_has_no_proof_yet(signing, write):
    write(3)
    checkpoint = audit.sign_checkpoint()
    write(1)
    with pytest.raises(IndexError):
        selectors.inclusion(3, checkpoint)

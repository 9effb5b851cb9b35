"""Where a model speaks of encryption, and a change that loses nothing else."""

import copy
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption.engines.veeam import exact
from encryption.engines.veeam.blocks import Block, blocks, never_encrypts, patched
from encryption.errors import VeeamUnexpected
from tests.encryption.veeam.invented import NAMES, VALUES

ONE, TWO = UUID("11111111-1111-4111-8111-111111111111"), UUID("22222222-2222-4222-8222-222222222222")
ZERO = "00000000-0000-0000-0000-000000000000"
STORAGE = "/storage/advancedSettings/storageData/encryption"
BY_PASSWORD = {"isEnabled": True, "encryptionType": "ByUserPassword", "encryptionPasswordId": str(ONE)}


def at(path: str, block, **fields):
    """A model with one block at a place."""
    model = {"id": str(TWO), "name": "Mail", "type": "VSphereBackup", **fields}
    place = model
    *parents, last = path.split("/")[1:]
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = block
    return model


def only(model) -> Block:
    (block,) = blocks(model)
    return block


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("VSphereBackup", STORAGE),
        ("HyperVBackup", STORAGE),
        ("LinuxAgentBackup", STORAGE),
        ("BackupCopy", "/target/advancedSettings/storageData/encryption"),
        ("FileBackup", "/backupRepository/advancedSettings/storageData/encryption"),
        ("EntraIDTenantBackup", "/storage/advancedSettings/encryption"),
        ("FileBackupCopy", "/encryption"),
        ("OfATypeToCome", "/some/where/else/encryption"),
        ("OfATypeToCome", "/access/encryptionSettings"),
    ],
)
def test_a_block_is_found_wherever_its_type_keeps_it(kind, path):
    assert only(at(path, BY_PASSWORD, type=kind)) == Block(path, True, "password", ONE)


def test_a_block_by_kms_names_its_server():
    block = {"isEnabled": True, "encryptionType": "ByKms", "kmsServerId": str(TWO)}
    assert only(at(STORAGE, block)) == Block(STORAGE, True, "kms", None, TWO)


@pytest.mark.parametrize("said", ["byuserpassword", "BYUSERPASSWORD", None])
def test_the_case_of_the_type_does_not_count(said):
    assert only(at(STORAGE, BY_PASSWORD | {"encryptionType": said})).password == ONE


def test_a_type_that_is_missing_is_told_by_the_ids():
    assert only(at(STORAGE, {"isEnabled": True, "kmsServerId": str(TWO)})).kind == "kms"


@pytest.mark.parametrize(
    "block",
    [
        None,
        {},
        {"isEnabled": False},
        {"isEnabled": None, "encryptionPasswordId": str(ONE)},
        {"isEnabled": "false", "encryptionPasswordId": str(ONE)},
        {"isEnabled": True},
        {"isEnabled": True, "encryptionPasswordId": None},
        {"isEnabled": True, "encryptionPasswordId": ZERO},
        {"isEnabled": True, "encryptionPasswordId": "no id"},
        {"isEnabled": True, "encryptionType": "ByKms", "kmsServerId": ZERO},
        {"isEnabled": True, "encryptionType": "ByKms", "encryptionPasswordId": str(ONE)},
    ],
)
def test_off_is_read_in_every_form(block):
    assert only(at(STORAGE, block)).enabled is False


def test_off_keeps_the_password_that_it_names():
    assert only(at(STORAGE, BY_PASSWORD | {"isEnabled": False})).password == ONE


def test_a_model_without_a_block_has_one_where_its_type_keeps_it():
    assert only(at("/storage/advancedSettings/storageData/other", 1)) == Block(STORAGE, False)


def test_a_model_without_the_place_has_none():
    assert blocks({"type": "VSphereBackup", "storage": None}) == ()


def test_the_jobs_own_block_comes_before_further_targets():
    further = {"isEnabled": True, "encryptionPasswordId": str(TWO)}
    path = "/backupRepository/advancedSettings/storageData/encryption"
    model = {"secondaryTargets": [{"encryption": further}]} | at(path, BY_PASSWORD, type="FileBackup")
    assert [block.path for block in blocks(model)] == [path, "/secondaryTargets/0/encryption"]


def test_a_copys_block_that_is_not_in_force_is_off():
    assert (
        only(at("/encryption", BY_PASSWORD, type="FileBackupCopy", useCustomEncryption=False)).enabled
        is False
    )


def test_names_that_only_resemble_a_block_are_none():
    assert blocks({"encryption": "AES", "encryptionSettings": {"level": 3}, "encryptionState": {}}) == ()


def test_a_model_that_nests_without_end_is_left():
    model = deep = {}
    for _ in range(500):
        deep["inner"] = {}
        deep = deep["inner"]
    assert blocks(model) == ()


@pytest.mark.parametrize("kind", ["VSphereReplica", "surebackupcontentscan", "IrisBackup"])
def test_types_without_encryption_are_known(kind):
    assert never_encrypts(kind)


def test_other_types_encrypt():
    assert not never_encrypts("OfATypeToCome")


@pytest.mark.parametrize(
    "block",
    [
        Block(STORAGE, True, "password", ONE),
        Block(STORAGE, True, "password", TWO, unique_id="mine"),
        Block(STORAGE, True, "kms", None, TWO),
    ],
)
@pytest.mark.parametrize(
    "before", [None, {"isEnabled": False}, BY_PASSWORD | {"encryptionPasswordUniqueId": "x"}]
)
def test_what_was_patched_reads_so(before, block):
    found = only(patched(at(STORAGE, before), STORAGE, block))
    assert (found.enabled, found.kind, found.password, found.kms) == (
        True,
        block.kind,
        block.password,
        block.kms,
    )


def test_a_patch_leaves_the_model_that_it_was_given():
    model = at(STORAGE, BY_PASSWORD)
    before = copy.deepcopy(model)
    patched(model, STORAGE, Block(STORAGE, False))
    assert model == before


def test_the_same_again_changes_nothing():
    content = json.dumps(
        at(STORAGE, BY_PASSWORD | {"encryptionType": "byUserPassword"}, x=[1, None])
    ).encode()
    model = exact.loads(content)
    assert exact.dumps(patched(model, STORAGE, only(model))) == exact.dumps(model)


def test_switching_off_changes_the_switch_alone():
    changed = patched(at(STORAGE, BY_PASSWORD), STORAGE, Block(STORAGE, False))
    assert changed == at(STORAGE, BY_PASSWORD | {"isEnabled": False})


def test_the_former_passwords_other_name_goes():
    model = at(STORAGE, BY_PASSWORD | {"encryptionPasswordUniqueId": "internal"})
    changed = patched(model, STORAGE, Block(STORAGE, True, "password", TWO))
    assert changed == at(STORAGE, BY_PASSWORD | {"encryptionPasswordId": str(TWO)})


def test_a_configuration_backup_keeps_its_own_names():
    model = {"isEnabled": True, "encryption": {"isEnabled": False, "passwordId": ZERO}}
    changed = patched(model, "/encryption", Block("/encryption", True, "password", ONE))
    assert changed["encryption"] == {"isEnabled": True, "passwordId": str(ONE)}


def test_a_copy_is_told_to_use_its_own_block():
    model = at("/encryption", {"isEnabled": False}, type="FileBackupCopy", useCustomEncryption=False)
    changed = patched(model, "/encryption", Block("/encryption", True, "password", ONE))
    assert only(changed).enabled


def test_a_place_in_a_list_is_found():
    model = {"secondaryTargets": [{"encryption": None}, {"encryption": dict(BY_PASSWORD)}]}
    path = "/secondaryTargets/1/encryption"
    assert [one.enabled for one in blocks(patched(model, path, Block(path, False)))] == [False, False]


@pytest.mark.parametrize("path", ["/nowhere/encryption", "/name/encryption", "/storage/9/encryption"])
def test_a_place_that_is_not_there_is_refused(path):
    with pytest.raises(VeeamUnexpected):
        patched(at(STORAGE, BY_PASSWORD), path, Block(path, False))


def test_on_without_a_key_is_refused():
    with pytest.raises(VeeamUnexpected):
        patched(at(STORAGE, None), STORAGE, Block(STORAGE, True))


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_a_patch_never_loses_a_field_that_is_not_known(fields, enabled):
    """A change of encryption and its undoing leave every unknown field as it was, to the digit."""
    model = at(STORAGE, dict(BY_PASSWORD) | {"isEnabled": enabled}, **fields)
    there = patched(model, STORAGE, Block(STORAGE, not enabled, "password", ONE))
    assert exact.dumps(patched(there, STORAGE, Block(STORAGE, enabled, "password", ONE))) == exact.dumps(
        model
    )


@given(VALUES)
def test_any_json_is_walked(value):
    blocks({"anything": value, "type": value})

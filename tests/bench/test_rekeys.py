"""The bench measures what it says: its keyring is a real one, and its act a real re-key."""

from pathlib import Path

from bench import act, rekeys
from encryption.crypto import kdf
from encryption.engines.native import inspection


def test_the_keyring_of_the_bench_is_rekeyed(tmp_path: Path):
    base = kdf.derive_root(act.PASSWORD, act.PARAMETERS)
    place = tmp_path / str(rekeys.JOB)
    rekeys.make_keyring(place, base, 20)
    act.main("rekey", place)
    proof = inspection.prove(place, root=kdf.derive_root(act.NEXT, act.PARAMETERS), old_root=base)
    assert proof.lines == 20

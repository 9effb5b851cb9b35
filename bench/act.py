"""One act of the native engine, for `bench.children` to time: the same calls that a worker makes."""

import sys
import time
from pathlib import Path
from uuid import UUID

from encryption.crypto import kdf
from encryption.crypto.secret import Secret
from encryption.engines.base import Source
from encryption.engines.native import backup, rekey, restore
from encryption.engines.native.keyring import roots_of

PASSWORD, NEXT = Secret(b"bench-amber-basalt-cedar"), Secret(b"bench-delta-ember-fjord")
PARAMETERS = kdf.Argon2id(salt=bytes(range(16)))
POINT, USER_KEY, USER_KEY_2 = (UUID(int=number) for number in (1, 2, 3))


def main(verb: str, folder: Path, *rest: str) -> None:
    """Do `verb` on a job's folder."""
    if verb == "activate":
        root = kdf.derive_root(PASSWORD, PARAMETERS)
        rekey.activate(folder, root=root, user_key=USER_KEY, parameters=PARAMETERS)
    elif verb == "backup":
        source = Source(Path(rest[0]))
        backup.backup(folder, source, roots=roots_of(PASSWORD), compress=False, restore_point=POINT)
    elif verb == "restore":
        restore.restore(folder, POINT, Path(rest[0]), roots=roots_of(PASSWORD))
    elif verb == "rekey":
        old, new = kdf.derive_root(PASSWORD, PARAMETERS), kdf.derive_root(NEXT, PARAMETERS)
        began, spent = time.monotonic(), time.process_time()
        rekey.rekey(folder, old_root=old, new_root=new, new_user_key=USER_KEY_2, new_kdf=PARAMETERS)
        # A worker runs already, and derives once for many jobs: neither belongs to the rate.
        took = f"{time.monotonic() - began} {time.process_time() - spent}"
        folder.with_suffix(".took").write_text(took)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

"""Storage keys for a new keyring when nobody knows the old password: those that a recovery gave.

Each is tried at the data file that it is the key of, before anything is replaced. A line whose key was not
given stops the re-key, by name, as long as anything of its restore point is there.
"""

from contextlib import closing
from uuid import UUID

from encryption.crypto.wrap import KeyWrapper, associated
from encryption.engines.native.batches import Batch
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import RECOVERY, JobFolder, data_name
from encryption.engines.native.opening import GivenKeys
from encryption.errors import EngineError, MissingKeyLine, ProofFailed, WrongKey


def take(folder: JobFolder, given: GivenKeys, batch: Batch) -> tuple[Batch, list[bytes]]:
    """Return the lines that go on, with their keys. Raises MissingKeyLine, ProofFailed.

    What has neither data nor recovery lines any more opens nothing, and is left behind.
    """
    kept, keys = [], []
    for ids in batch.ids:
        point, storage_key = (UUID(text.decode("ascii")) for text in ids.split(b"|"))
        try:
            key = given.storage_key(point, storage_key)
        except MissingKeyLine:
            if _stands(folder, point):
                raise
            continue
        _try(folder, point, storage_key, key)
        kept.append(ids)
        keys.append(key)
    return Batch(batch.first, kept, b""), keys


def _stands(folder: JobFolder, point: UUID) -> bool:
    names = (data_name(point), f"{point}{RECOVERY}")
    return any(folder.status(name) is not None for name in names)


def _try(folder: JobFolder, point: UUID, storage_key: UUID, key: bytes) -> None:
    try:
        file = DataFile(folder, point)
    except EngineError:
        # Damage of that restore point alone: its key is as good as it was.
        return
    with closing(file):
        keys = file.header.keys
        if keys is None or keys.storage_key != storage_key:
            return
        try:
            KeyWrapper(key).unwrap(keys.meta, associated("meta", point))
        except WrongKey as error:
            raise ProofFailed(f"The recovered key does not open restore point {point}.") from error

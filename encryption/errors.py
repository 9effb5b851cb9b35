"""Every refusal of this app, by name.

`Refused` subclasses are answers to a person and become a problem with a `code`. `EngineError` subclasses
come from keys and files: the engines raise them without knowing who asked. Each message says what was found
and what to do.
"""

from datetime import timedelta

from audit.errors import Later, Refused

# How long what needs a key waits before it asks again.
_AWAY = timedelta(seconds=30)


class PasswordRefused(Refused):
    """A new encryption password cannot be taken: a character, its length, or its weakness."""

    code = "invalid"


class JobBusy(Refused):
    """The job is being re-keyed or run, and what was asked would disturb it."""

    code = "job_busy"


class RequestNeeded(Refused):
    """What was asked touches encryption, and takes effect only through an approved request."""

    code = "invalid"


class PlaceRefused(Refused):
    """A folder may not be a source, a repository or a restore's target."""

    code = "invalid"


class JobRefused(Refused):
    """A job, a repository or a run cannot be as was asked."""

    code = "invalid"


class Unknown(Refused):
    """There is no such job, restore point or re-key, or it is not this person's to know."""

    code = "not_found"


class Outdated(Refused):
    """A change was made from a state that is not there any more."""

    code = "precondition_failed"


class TargetChanged(Refused):
    """A job's keys are not what the approved statement names; nothing was written (P5)."""

    code = "stale"


class ServerRefused(Refused):
    """A Veeam server cannot be connected or held as was asked."""

    code = "invalid"


class ForwarderRefused(Refused):
    """A forwarder of the log cannot be as was asked."""

    code = "invalid"


class RemovalRefused(Refused):
    """Another product does not let a password be deleted, for a reason of its own."""

    code = "job_busy"


class EngineError(Exception):
    """A backup engine could not, or would not, do what it was told."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class KeyMaterialError(EngineError):
    """A key file of a process is missing, damaged, or readable by others."""


class RotationHeld(KeyMaterialError):
    """A master key cannot be rotated or moved now; the text says what must come first."""


class NotApproved(EngineError, Refused):
    """An algorithm that FIPS does not approve, on an installation that runs under FIPS."""

    code = "invalid"


class KeysAway(Later):
    """Whoever guards a master key does not give it: what needs the key waits, and no error is counted.

    No `EngineError`, for those end what was asked for.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_AWAY)
        self.message = message

    def __str__(self) -> str:
        return self.message


class SealBroken(EngineError):
    """A sealed secret does not open: another key, another row, or changed bytes."""


class OtherKey(SealBroken):
    """A sealed secret rests under a master key that is not here."""


class KdfRefused(EngineError):
    """Key derivation parameters are outside the bounds that a reader accepts."""


class WrongPassword(EngineError):
    """The password does not belong to this keyring."""


class NoKeyring(EngineError):
    """The job folder holds no keyring, so no password can open it."""


class KeyringExists(EngineError):
    """The job folder holds a keyring already; only a re-key may replace it."""


class DamagedKeyring(EngineError):
    """The keyring is not what its format demands."""


class KeyringChanged(EngineError):
    """The keyring changed under the hands of a re-key although the folder was locked."""


class MissingKeyLine(EngineError):
    """An encrypted data file has no line in the keyring: damage of that restore point alone."""


class WrongKey(EngineError):
    """A wrapped key does not unwrap: it was changed, or moved from another place."""


class BadRecoveryLine(EngineError):
    """A line of a `.recovery` file cannot be read, or the server that it names did not sign it."""


class NotABackup(EngineError):
    """The file does not begin or end as a data file does."""


class DamagedFile(EngineError):
    """A data file is cut, altered or inconsistent."""


class DamagedBlock(DamagedFile):
    """A block does not decrypt, decompress or hash to what was stored."""


class DamagedMetadata(DamagedFile):
    """The list of files in a restore point is cut, altered or inconsistent."""


class WrongName(EngineError):
    """A data file names another restore point than its file name does."""


class WrongJob(EngineError):
    """Header, keyring and the job that was asked for do not name the same job."""


class BrokenChain(EngineError):
    """The restore points that this one builds on do not form a chain."""


class PlainInEncrypted(EngineError):
    """A file without keys stands where an encrypted one was asked for, or in an encrypted chain."""


class UnsafePath(DamagedMetadata):
    """A restore point lists a path that must not be written."""


class TargetNotEmpty(EngineError):
    """The folder to restore into holds something already."""


class NotInRestorePoint(EngineError):
    """A path that was asked for is not in this restore point."""


class NoRestorePoint(EngineError):
    """The job folder holds no data file of that restore point."""


class KeyringNeeded(EngineError):
    """A keyring cannot go: it opens something still."""


class RestorePointExists(EngineError):
    """A run was given the uuid of a restore point that exists; data files are never written over."""


class RestorePointBusy(EngineError):
    """A restore point is being read; what would replace or remove it must wait."""


class FolderBusy(EngineError):
    """Another writer holds the lock of the job folder."""


class SourceRefused(EngineError):
    """The folder to back up cannot be read as one."""


class ProofFailed(EngineError):
    """A re-key could not prove its result; nothing was replaced."""


class StaleOrder(EngineError):
    """The job's keys are neither what an order started from nor what it leads to."""


class PasswordNeeded(EngineError):
    """A restore point is encrypted and no password was given."""


class TargetRefused(EngineError):
    """The folder to restore into cannot be used as one."""


class UnknownEngine(EngineError):
    """A repository names a backup engine that this version does not have."""


class VeeamUnreachable(EngineError):
    """A Veeam server cannot be reached, or no connection of TLS 1.2 or newer is to be had."""


class VeeamCut(VeeamUnreachable):
    """A Veeam server was sent something and gave no whole answer: what was asked may have been done."""


class VeeamUntrusted(EngineError):
    """Whoever answers at a Veeam server's address does not show the certificate that was pinned."""


class VeeamRefused(EngineError):
    """A Veeam server does not accept the account, or the account may not do what was asked."""


class VeeamGone(EngineError):
    """A Veeam server has no such object any more."""


class VeeamBusy(EngineError):
    """A Veeam server said that it cannot now; nothing was done there."""


class VerifyBlocked(VeeamBusy):
    """Too many wrong values were tried: Veeam compares none for some minutes."""


class FourEyesRefused(EngineError):
    """Veeam's own four-eyes authorization stands in the way of a deletion."""


class VeeamUnexpected(EngineError):
    """A Veeam server answered otherwise than its specification and the known deviations from it allow."""


class SyslogRefused(EngineError):
    """Bytes that were received are no event of Veeam's syslog."""

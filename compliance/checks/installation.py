"""Checks about keysets, and about this installation itself."""

from datetime import datetime, timedelta

from compliance.checks import controls as c
from compliance.checks.declared import Check, Line, Result, Severity, counted, unable
from compliance.checks.facts import Facts

EXPIRES_WITHIN = timedelta(days=14)
CHECKPOINT_WITHIN = timedelta(days=1)
# Who keeps a key where this machine cannot copy it.
KEEPERS = {"pkcs11": "a security module", "kmip": "a key management server"}
# Where a folder on one of these lies, it lies on another machine.
ELSEWHERE = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.sshfs", "fuse.glusterfs", "afs"})


def _protection(facts: Facts) -> Result:
    if facts.guarded_since is None:
        return counted(
            0, 1, "No keyset is in force.", [Line("A lost password cannot be recovered.", "recovery")]
        )
    return counted(1, 1, f"A keyset is in force since {facts.guarded_since:%-d %B %Y}.", [])


def _exported(facts: Facts) -> Result:
    if facts.keyset is None:
        return unable("No keyset is in force.")
    if not facts.keyset.own:
        return unable("Another installation holds the keyset's private half.")
    if facts.keyset.exported is None:
        line = Line("Its private half exists on one machine only.", "recovery")
        return counted(0, 1, "The keyset in force was never exported.", [line])
    return counted(1, 1, f"The keyset in force was exported on {facts.keyset.exported:%-d %B %Y}.", [])


def _expiring(facts: Facts) -> Result:
    if facts.keyset is None or facts.keyset.expires is None:
        return unable("No keyset with an end is in force.")
    if facts.keyset.expires - facts.now > EXPIRES_WITHIN:
        return counted(1, 1, f"The keyset in force ends on {facts.keyset.expires:%-d %B %Y}.", [])
    over = facts.keyset.expires <= facts.now
    said = "The keyset in force is past its end." if over else "The keyset in force ends within two weeks."
    return counted(0, 1, said, [Line("Generate the next one and have Security activate it.", "recovery")])


def _keys(facts: Facts) -> Result:
    held = KEEPERS.get(facts.installation.keys)
    if held is None:
        line = Line("Whoever takes over this machine takes the key that opens every sealed password.")
        return counted(0, 1, "The worker's master key lies on this machine.", [line])
    return counted(1, 1, f"The worker's master key is held by {held}.", [])


def _users(facts: Facts) -> Result:
    if not facts.installation.parted:
        line = Line("Whoever takes over the pages can read the worker's keys.")
        return counted(0, 1, "Web and worker run as one user of the system.", [line])
    return counted(1, 1, "Web and worker run as users of their own.", [])


def _tls(facts: Facts) -> Result:
    lines = [Line(text) for text in facts.installation.in_clear]
    for one in facts.servers:
        if one.tls not in ("TLSv1.2", "TLSv1.3"):
            seen = f"{one.tls} was seen." if one.tls else "no connection was seen yet."
            lines.append(Line(f"{one.name}: {seen}", "server", str(one.id)))
    total = facts.installation.connections + len(facts.servers)
    good, best = total - len(lines), sum(one.tls == "TLSv1.3" for one in facts.servers)
    said = f"{good} of {total} connections are local or under TLS."
    return counted(good, total, said + (f" TLS 1.3 was seen at {best} Veeam servers." if best else ""), lines)


def _settings(facts: Facts) -> Result:
    lines = [Line(text) for text in facts.installation.settings]
    if facts.installation.demo:
        lines.append(Line("This is a demo: its passwords stand in a file."))
    if facts.installation.production and not lines:
        return counted(1, 1, "This installation runs as production, and refuses unsafe settings.", [])
    if not facts.installation.production:
        lines.insert(0, Line("VEEAMSEC_PRODUCTION is not set: unsafe settings are not refused."))
    return counted(0, 1, "This installation does not run with all settings of production.", lines)


def _outside(facts: Facts) -> Result:
    found = facts.installation
    if not _lately(found.checkpoint_at, facts):
        line = Line("A log that was rewritten would not be noticed.", "log")
        return counted(0, 1, "No checkpoint was signed within a day.", [line])
    if _lately(found.outside_at, facts):
        return counted(1, 1, "Signed checkpoints are copied to the disk that is named as outside.", [])
    if found.outside_named:
        line = Line("The folder outside is away, full or on our own disk.", "log")
        return counted(0, 1, "No checkpoint was copied outside within a day.", [line])
    if found.checkpoint_on in ELSEWHERE:
        return counted(1, 1, "Signed checkpoints lie on another machine.", [])
    return unable("Checkpoints lie on this machine; whether something copies them elsewhere cannot be seen.")


def _lately(at: datetime | None, facts: Facts) -> bool:
    return at is not None and facts.now - at <= CHECKPOINT_WITHIN


CHECKS = (
    Check(
        code="recovery.protection",
        title="Password loss protection is on",
        why="Without a keyset, a lost password is the loss of the backups.",
        mend="On the page Recovery, generate a keyset or take another installation's; Security decides.",
        severity=Severity.HIGH,
        controls=(c.CRYPTOGRAPHY, c.CONTINUITY, c.GDPR_RESTORE),
        find=_protection,
    ),
    Check(
        code="recovery.exported",
        title="The keyset in force was exported",
        why="A keyset that exists on one machine is lost with it.",
        mend="Ask for an export, and keep the text and its passphrase apart.",
        severity=Severity.HIGH,
        controls=(c.CRYPTOGRAPHY, c.CONTINUITY),
        find=_exported,
    ),
    Check(
        code="recovery.expiring",
        title="The keyset in force does not end soon",
        why="Past its end, new restore points are protected by a keyset that should have been replaced.",
        mend="Generate the next keyset and have Security activate it.",
        severity=Severity.MEDIUM,
        controls=(c.CRYPTOGRAPHY,),
        find=_expiring,
    ),
    Check(
        code="installation.keys",
        title="Master keys are held by a key management server or a security module",
        why="A file can be copied without a trace.",
        mend="Move the master key to a security module or a KMIP server: `manage.py keys`.",
        severity=Severity.MEDIUM,
        controls=(c.CRYPTOGRAPHY, c.NIS2_CRYPTOGRAPHY),
        find=_keys,
    ),
    Check(
        code="installation.users",
        title="Web and worker run as users of their own",
        why="The pages face people and networks; they should not be able to read what opens a password.",
        mend="Install by deploy/, which parts them.",
        severity=Severity.HIGH,
        controls=(c.PRIVILEGED, c.SEGREGATION),
        find=_users,
    ),
    Check(
        code="installation.tls",
        title="Every connection is local or under TLS",
        why="What travels in clear is read and changed on the way.",
        mend="Name https, verify-full, rediss and TLS for mail in the settings that are named here.",
        severity=Severity.HIGH,
        controls=(c.NETWORKS, c.CRYPTOGRAPHY, c.GDPR_ENCRYPTION),
        find=_tls,
    ),
    Check(
        code="installation.settings",
        title="The installation runs with the settings of production",
        why="As production, VeeamSec refuses to start with an unsafe setting.",
        mend="Set VEEAMSEC_PRODUCTION and what it then asks for.",
        severity=Severity.MEDIUM,
        controls=(c.CONFIGURATION,),
        find=_settings,
    ),
    Check(
        code="log.outside",
        title="Signed checkpoints of the log lie outside of this machine",
        why="Only what lies elsewhere shows that a log, with the machine, was rewritten.",
        mend="Name a folder on another machine in VEEAMSEC_CHECKPOINTS_OUTSIDE.",
        severity=Severity.MEDIUM,
        controls=(c.LOGGING, c.EVIDENCE, c.RECORDS),
        find=_outside,
    ),
)

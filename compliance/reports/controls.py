"""Which controls the work of VeeamSec supports, and by what; it certifies none.

ISO/IEC 27001:2022 Annex A by number and title; the GDPR, NIS2 (Directive (EU) 2022/2555) and DORA (Regulation
(EU) 2022/2554) by article. What each asks for is said in our words; the texts themselves rule.
"""

from collections.abc import Mapping

from compliance.reports.document import Column, Table

# Control, title, how this installation supports it; figures of the period go between the braces.
_CONTROLS = (
    (
        "ISO/IEC 27001:2022 A.5.3",
        "Segregation of duties",
        "nobody decides on their own request: {asked} asked, {decided} decided by another person",
    ),
    (
        "ISO/IEC 27001:2022 A.5.15, A.5.18",
        "Access control, access rights",
        "seats and offices change by request alone; {seats} active seats of Security",
    ),
    (
        "ISO/IEC 27001:2022 A.5.17",
        "Authentication information",
        "passwords are sealed as they arrive and shown nowhere; {versions} versions made in the period",
    ),
    (
        "ISO/IEC 27001:2022 A.5.28, A.5.33",
        "Collection of evidence, protection of records",
        "{entries} log entries under signed checkpoints; {attested} signed statements behind badges",
    ),
    (
        "ISO/IEC 27001:2022 A.5.36",
        "Compliance with policies and standards",
        "the procedure in force is answered in every request about a password: {answered} in the period",
    ),
    (
        "ISO/IEC 27001:2022 A.8.2",
        "Privileged access rights",
        "an administrator alone activates or changes no password: {refused} attempts were refused and kept",
    ),
    (
        "ISO/IEC 27001:2022 A.8.13",
        "Information backup",
        "{encrypted} of {jobs} backup jobs write encrypted; each restore point names what opens it",
    ),
    (
        "ISO/IEC 27001:2022 A.8.15, A.8.16",
        "Logging, monitoring activities",
        "every transition and refusal is an entry; {alarms} alarms were raised in the period",
    ),
    (
        "ISO/IEC 27001:2022 A.8.24",
        "Use of cryptography",
        "rules for keys and passwords, their change and custody, are enforced; {badges} jobs carry"
        " the full badge",
    ),
    (
        "ISO/IEC 27001:2022 A.8.32",
        "Change management",
        "changes of encryption run under an approved statement; {drifts} were found that nobody approved",
    ),
    (
        "GDPR Article 32(1)(a), (b), (d)",
        "Security of processing",
        "encryption of backups, under a second person's control, looked at regularly: this report",
    ),
    (
        "GDPR Article 5(2)",
        "Accountability",
        "who asked, who decided and what ran can be shown and checked outside",
    ),
    (
        "NIS2 Article 21(2)(c), (h), (i)",
        "Backup management, cryptography, access control",
        "the rows above, for what backups are encrypted with",
    ),
    (
        "DORA Articles 9 and 12",
        "Protection and prevention; backup policies",
        "the rows above; keys are managed over their life with a record of each change",
    ),
)


def table_of(figures: Mapping[str, int]) -> Table:
    """Return the controls with how each is supported, with the figures of the period."""
    return Table(
        "controls",
        "Controls that this supports",
        (Column("control", "Control"), Column("title", "Title"), Column("supports", "Supports it by")),
        tuple((control, title, how.format_map(figures)) for control, title, how in _CONTROLS),
    )

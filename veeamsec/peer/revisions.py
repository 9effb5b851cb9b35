"""Which build answers which revision of the REST API, and which of two revisions is the newer."""

REVISION_OF_BUILD = {
    "12.3.1.1139": "1.2-rev1",
    "13.0.0.4967": "1.3-rev0",
    "13.0.1.180": "1.3-rev1",
    "13.1.0.411": "1.3-rev2",
}
REVISIONS = tuple(REVISION_OF_BUILD.values())
# Since 13.1 the names of the roles have lost their "Veeam".
_PLAIN_ROLES = "1.3-rev2"


def revision_of(build: str) -> str:
    """The newest revision that a build answers. Raises ValueError for a build that is not played."""
    try:
        return REVISION_OF_BUILD[build]
    except KeyError:
        raise ValueError(f"There is no build {build} here: {', '.join(REVISION_OF_BUILD)}.") from None


def has(revision: str, since: str) -> bool:
    """Say whether a revision is `since` or newer."""
    return REVISIONS.index(revision) >= REVISIONS.index(since)


def role_prefix(revision: str) -> str:
    """What stands before the name of a built-in role."""
    return "" if has(revision, _PLAIN_ROLES) else "Veeam "

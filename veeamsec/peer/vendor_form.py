"""The same values as the vendor's own examples write them, where these part from the vendor's schema."""

from typing import Any

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LOWERED = frozenset({"proxyType", "backupModeType", "compressionLevel", "dailyKind", "desiredTime"})
_TIMES = frozenset({"localTime", "dailySummaryLocalTime", "dailyScanLocalTime"})
_ABSENT = ("encryptionPasswordId", "encryptionPasswordUniqueId", "kmsServerId")


def as_vendor(value: Any, name: str = "") -> Any:
    """Times without seconds, enums in another case, null for what is absent."""
    if isinstance(value, dict):
        shown = {inner: as_vendor(one, inner) for inner, one in value.items()}
        if name == "encryption" and "passwordId" not in value:
            shown = {"isEnabled": False} | dict.fromkeys(_ABSENT) | shown
        return shown
    if isinstance(value, list):
        return [as_vendor(one, name) for one in value] or (["None"] if name == "gfsPeriods" else [])
    if not isinstance(value, str):
        return value
    if name in _TIMES:
        return value[:5]
    if name in _LOWERED or value in _DAYS:
        return value[:1].lower() + value[1:]
    return value

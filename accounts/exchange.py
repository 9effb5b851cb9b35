"""What bodies of every API share, beside their fields."""

from typing import Any, ClassVar

from rest_framework import serializers


class Strict(serializers.Serializer[Any]):
    """Refuses a field that it does not know or that is only read, instead of ignoring it."""

    # Read-only fields whose change a use case refuses in its own words.
    left_to_the_use_case: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        """Check the names first."""
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - writable - self.left_to_the_use_case)
            if unknown:
                raise serializers.ValidationError({name: [self._why(name)] for name in unknown})
        return super().to_internal_value(data)

    def _why(self, name: str) -> str:
        return "This is only read." if name in self.fields else "There is no such field."

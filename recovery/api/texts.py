"""The texts that people carry, as JSON."""

from rest_framework import serializers

from accounts.exchange import Strict


class TextSerializer(Strict):
    """A text that was carried here."""

    text = serializers.CharField(max_length=64 * 1024 * 1024, trim_whitespace=False)

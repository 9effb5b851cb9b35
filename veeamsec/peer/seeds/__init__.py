"""What a server holds when it starts."""

from collections.abc import Callable

from veeamsec.peer.installation import Installation
from veeamsec.peer.seeds.large import large
from veeamsec.peer.seeds.small import small
from veeamsec.peer.seeds.sound import sound
from veeamsec.peer.seeds.story import story

SEEDS: dict[str, Callable[..., None]] = {
    "small": small,
    "sound": sound,
    "story": story,
    "large": large,
}

__all__ = ["SEEDS", "Installation"]

"""Who plays in the demo: made anew each time, with passwords and TOTP secrets of their own."""

import base64
import secrets
from dataclasses import dataclass

from veeamsec.demo.client import Client

WORDS = (
    "amber",
    "basalt",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "harbor",
    "indigo",
    "juniper",
    "kelp",
    "lagoon",
    "meadow",
    "nectar",
    "opal",
    "quartz",
)


def passphrase(words: int = 5) -> str:
    """A pass phrase that a person could type: words and four digits, enough for a demo home."""
    return "-".join(secrets.choice(WORDS) for _ in range(words)) + f"-{secrets.randbelow(10_000):04}"


@dataclass(frozen=True)
class Player:
    """One account of the demo."""

    username: str
    person: str
    role: str
    password: str
    totp_secret: str | None
    title: str | None = None

    def client(self, url: str) -> Client:
        """A browser for this account, not signed in yet."""
        return Client(url, self.username, totp_secret=self.totp_secret)


def player(username: str, person: str, role: str, title: str | None = None, *, totp: bool = True) -> Player:
    """A new account with fresh secrets."""
    secret = base64.b32encode(secrets.token_bytes(20)).decode() if totp else None
    return Player(username, person, role, passphrase(), secret, title)


def cast() -> dict[str, Player]:
    """Two of Security, an administrator, an operator with a second account, an auditor, a superuser."""
    players = [
        player("dora", "Dora Marchetti", "security", "dpo"),
        player("carl", "Carl Weiss", "security", "ciso"),
        player("adam", "Adam Novak", "administrator"),
        player("olivia", "Olivia Brandt", "operator"),
        player("olivia.admin", "Olivia Brandt", "administrator"),
        player("irene", "Irene Costa", "auditor"),
        player("root", "Rolf Oberhauser", "superuser"),
    ]
    return {one.username: one for one in players}


def bootstrap_file(players: dict[str, Player]) -> dict[str, list[dict[str, str | None]]]:
    """What `bootstrap --file` reads."""
    people = sorted({one.person for one in players.values()})
    return {
        "people": [{"name": name, "email": f"{name.split()[0].lower()}@example.org"} for name in people],
        "users": [
            {
                "username": one.username,
                "person": one.person,
                "role": one.role,
                "title": one.title,
                "password": one.password,
                "totp_secret": one.totp_secret,
            }
            for one in players.values()
        ],
    }

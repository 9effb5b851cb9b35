"""Where a message may go: asked once for each connection, which then goes to the address that was judged.

A name that leads to this machine, to its own network or to a cloud's metadata service would let whoever makes
a forwarder speak to what only this machine reaches. Such places are refused unless the operator's setting
names their network; a name of which one address is refused is refused whole.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from audit.errors import NotReceived

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
# RFC 6052: an IPv4 address travels in the last four bytes of these.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Never, whatever the setting names: no collector answers there.
_NOWHERE = (ipaddress.IPv4Network("0.0.0.0/8"), ipaddress.IPv4Network("255.255.255.255/32"))


def host_named(text: str) -> str:
    """Return a host as it is stored: a name or an IP address, alone. ValueError says what is wrong."""
    found = text.strip().lower().rstrip(".")
    if len(found) > 253 or not (_is_ip(found) or _NAME.fullmatch(found)):
        raise ValueError("A host is a name or an IP address, without a scheme, a port or a path.")
    # inet_aton reads 127.1, 2130706433 and 0x7f.1 as addresses; no name ends in a number (RFC 1123).
    last = found.rpartition(".")[2]
    if not _is_ip(found) and (last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last)):
        raise ValueError("Write an IP address in its usual form: four numbers, or groups of IPv6.")
    return found


def webhook_at(text: str) -> tuple[str, int, str]:
    """Return host, port and path of a webhook's address: https alone. ValueError says what is wrong."""
    if not text.isascii() or any(sign <= " " or sign == "\x7f" for sign in text.strip()):
        raise ValueError("An address holds no spaces, line ends or control signs.")
    parts = urlsplit(text.strip())
    if parts.scheme != "https":
        raise ValueError("A webhook's address begins with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("An address holds no user, password or fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _PATH.fullmatch(path):
        raise ValueError("The address's path holds a sign that must be written as %XX.")
    return host_named(parts.hostname or ""), parts.port or 443, path


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks that a setting names, parted by commas; ValueError for what is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def resolve(host: str, port: int, allowed: Iterable[Network], *, datagram: bool = False) -> str:
    """Return the one address to connect to, of a name that is looked up once. Raises NotReceived."""
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=kind)]
    except (OSError, UnicodeError) as error:
        raise NotReceived(f"The name {host} is not known to this machine.") from error
    nets = tuple(allowed)
    if not found or not all(admits(one, nets) for one in found):
        raise NotReceived(
            f"{host} leads to this machine or to a private network;"
            " VEEAMSEC_FORWARD_TO can name that network."
        )
    return found[0]


def admits(address: str, allowed: tuple[Network, ...]) -> bool:
    """Say whether a connection may go to an IP address."""
    real = _real(ipaddress.ip_address(address.partition("%")[0]))
    if real.is_multicast or real.is_unspecified or any(real in net for net in _NOWHERE):
        return False
    # Python calls the deprecated fec0::/10 global; routers never did.
    site_local = isinstance(real, ipaddress.IPv6Address) and real.is_site_local
    return (real.is_global and not site_local) or any(
        real in net for net in allowed if net.version == real.version
    )


def _real(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.teredo is not None:
        return address.teredo[1]
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in net for net in (*_TRANSLATED, _COMPATIBLE)) and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

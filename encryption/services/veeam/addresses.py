"""Which addresses a worker may be sent to: not to this machine, nor to what a cloud keeps beside it."""

import ipaddress
import re
import socket

from django.conf import settings

from encryption.errors import ServerRefused, VeeamUnreachable

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")


def named(address: str, port: int) -> str:
    """Return an address as it is stored: a host's name or IP address, alone. Raises ServerRefused."""
    found = address.strip().lower()
    if not 1 <= port <= 65_535:
        raise ServerRefused("A port is a number from 1 to 65535.")
    if len(found) > 253 or not (_is_ip(found) or _NAME.fullmatch(found)):
        raise ServerRefused("An address is a host's name or IP address, without https:// and without a path.")
    return found


def check(address: str, port: int) -> None:
    """Refuse an address that leads to this machine or beside it, in the worker. Raises VeeamUnreachable."""
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise VeeamUnreachable(
            f"The name {address} leads nowhere: it is not known to this machine."
        ) from error
    if not settings.VEEAMSEC_VEEAM_LOCAL and any(_is_near(str(one[4][0])) for one in found):
        raise VeeamUnreachable(
            f"{address} leads to this machine or to a link of its own; a Veeam server is another machine."
            " VEEAMSEC_VEEAM_LOCAL allows it, to try the product."
        )


def _is_near(text: str) -> bool:
    ip = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

"""Where nothing of ours is ever sent: link-local addresses, where clouds keep what machines are trusted with.

Everything else that is asked or told stands in a file of the operator's, by host: nothing that devices or
people send decides where a request goes, and no receiver sends it on (redirects are not followed). Pure.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from schemas.errors import SettingsError

__all__ = ["is_link_local", "refuse_link_local"]

_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_OTHERS: Final = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
"""Of Alibaba and Amazon."""


def refuse_link_local(where: str, host: str) -> None:
    """SettingsError if the host of a URL is a link-local or metadata address, however it is written."""
    if is_link_local(host):
        raise SettingsError(f"{where}: received the host {host}, allowed: any but link-local and metadata")


def is_link_local(host: str) -> bool:
    """Whether the host of a URL, or the address of a socket, is a link-local or metadata address.

    What a name resolves to is not known here: `taishi.outbound` looks at each connection.
    """
    host = host.strip("[]").rstrip(".").lower()
    address = _address(host)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return host in _NAMES or (mapped is not None and (mapped.is_link_local or mapped in _OTHERS))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that it is; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _numbers(host)


def _numbers(host: str) -> ipaddress.IPv4Address | None:
    """As resolvers read it: one to four numbers of any base, the last one filling the rest."""
    try:
        *heads, last = [int(each, _base(each)) for each in host.split(".")]
    except ValueError:
        return None
    whole = sum(head << 8 * (3 - place) for place, head in enumerate(heads)) + last
    return ipaddress.IPv4Address(whole) if len(heads) < 4 and 0 <= whole < 2**32 else None


def _base(digits: str) -> int:
    if digits.startswith("0x"):
        return 16
    return 8 if digits.startswith("0") and digits != "0" else 10

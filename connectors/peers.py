"""Who may speak where a protocol knows no credentials: the networks an operator names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from schemas.errors import SettingsError

__all__ = ["LOOPBACK", "Peers"]

LOOPBACK = ("127.0.0.0/8", "::1/128")


class Peers:
    """Networks in CIDR notation; SettingsError for what is none."""

    def __init__(self, networks: Iterable[str] = LOOPBACK) -> None:
        try:
            self._networks = tuple(ipaddress.ip_network(each) for each in networks)
        except ValueError as error:
            raise SettingsError(f"peers: {error}; allowed: networks such as 10.2.0.0/16") from error

    def allow(self, host: str) -> bool:
        """Whether an address is in one of them; IPv4 in IPv6's clothes counts as IPv4."""
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(host.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

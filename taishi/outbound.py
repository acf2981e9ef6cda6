"""No connection of this process goes to a link-local or metadata address, whatever a name resolves to.

A check before the request would look a name up once, and the request again, perhaps with another answer (DNS
rebinding). So the address is looked at where it is final: Python tells its audit hooks of every connection,
with the very address, before the system is asked. What C libraries connect by themselves (librdkafka) goes
unseen; they are told their hosts by the settings alone.
"""

from __future__ import annotations

import errno
import sys

from schemas.outbound import is_link_local

__all__ = ["guard_connections"]


def guard_connections() -> None:
    """From now on, for good, `OSError` for whoever connects or sends to such an address."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"}:
        return
    address = arguments[1]
    if isinstance(address, tuple) and is_link_local(str(address[0])):
        raise OSError(
            errno.EACCES, f"{address[0]} is a link-local or metadata address: nothing is sent there"
        )

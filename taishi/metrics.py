"""The metrics endpoint of a process: Prometheus text on a port of the local machine, or of `metrics_host`."""

from __future__ import annotations

import errno

from prometheus_client import start_http_server

from schemas.errors import SettingsError

__all__ = ["serve"]


def serve(port: int, host: str = "127.0.0.1") -> None:
    """Serve this process's metrics on `host`:`port` from a daemon thread; 0 serves nothing.

    SettingsError if the port is taken or not ours to open; it names the port and the setting.
    """
    if port == 0:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        why = "is taken by another process" if error.errno == errno.EADDRINUSE else "needs more rights"
        raise SettingsError(
            f"metrics: port {port} on {host} {why}; set metrics_port (TAISHI_METRICS_PORT) to the first "
            "of 20 free consecutive ports"
        ) from error

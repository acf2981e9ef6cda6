"""Logging of every process: one JSON object a line on stderr, so that the supervisor's files can be queried.

Normal operation logs nothing per message: what flows is counted (`taishi.metrics`), what is said
here is a change of state, a refusal of another side, or an end.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["LEVELS", "configure"]

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
"""What `configure` takes as a level; lower case, as it stands in the lines."""

_CHATTY: Final = ("amqtt", "httpcore", "httpx", "transitions", "urllib3")
"""Libraries that say something for every message; at level debug they may."""


def configure(part: str, level: str = "info") -> None:
    """Route structlog and the standard library's logging to stderr: JSON, or plain text on a terminal.

    Every line holds `at` (UTC, ISO 8601), `level`, `part`, `logger` where known, and `event`.
    `part` is the process as the supervisor names it (`connect-mqtt`). Calling again replaces the
    former configuration. ValueError for a level that is not in LEVELS.
    """
    if level not in LEVELS:
        raise ValueError(f"log level: received {level!r}, allowed: {', '.join(LEVELS)}")
    shared = _shared_processors(part)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(sys.stderr)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared_processors(part: str) -> list[Processor]:
    def add_part(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("part", part)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        add_part,
    ]


def _renderers(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        return [structlog.dev.ConsoleRenderer(timestamp_key="at")]
    return [
        # Without the frames' locals: they may hold tokens and personal data.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.UnicodeDecoder(),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]

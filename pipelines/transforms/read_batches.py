"""`ReadBatches`: an unbounded splittable DoFn whose elements are micro-batches of a process's shards.

One restriction a process, not one a shard: Prism puts the restrictions of one transform into one
bundle and runs them one after the other, so with a bundle of three seconds each of twelve shards
would be read every 36 seconds (docs/decisions/0007-beam-line.md). The restriction's position only
counts batches: where to go on is the checkpoint's word, never the runner's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.utils.timestamp import Duration, Timestamp

from pipelines.jobs.line import LineRuntime
from pipelines.kernels.batch import ShardBatch
from pipelines.transforms.runtime import runtime_of

__all__ = ["ReadBatches"]

_END = 2**62


class _NeverInHalf(OffsetRestrictionTracker):  # type: ignore[misc] # Beam publishes no types
    """Refuses to be split but at the present position: Prism halves unbounded ranges otherwise."""

    def try_split(self, fraction_of_remainder: float) -> Any:
        """Split off all that remains, or nothing."""
        return super().try_split(fraction_of_remainder) if fraction_of_remainder == 0 else None

    def is_bounded(self) -> bool:
        """A log has no end."""
        return False


class _OneRange(RestrictionProvider):  # type: ignore[misc] # Beam publishes no types
    def initial_restriction(self, element: object) -> OffsetRange:  # noqa: ARG002
        return OffsetRange(0, _END)

    def create_tracker(self, restriction: OffsetRange) -> _NeverInHalf:
        return _NeverInHalf(restriction)

    def restriction_size(self, element: object, restriction: OffsetRange) -> int:  # noqa: ARG002
        return 1


class ReadBatches(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """Yields `ShardBatch`es as they come; a bundle lasts `bundle_s`, then the rest is deferred at once.

    Bundles are long and defer rarely, because each deferral costs Prism a quarter of a second on a busy
    machine; a batch goes through the fused stage the moment it is yielded.
    """

    def __init__(
        self, factory: Callable[[], LineRuntime[Any, Any]], *, bundle_s: float = 30.0, poll_s: float = 0.1
    ) -> None:
        self._factory, self._bundle_s, self._poll_s = factory, bundle_s, poll_s

    @beam.DoFn.unbounded_per_element()  # type: ignore[untyped-decorator] # Beam publishes no types
    def process(
        self,
        element: object,  # noqa: ARG002 - there is one element, and it says nothing
        tracker: Any = beam.DoFn.RestrictionParam(_OneRange()),  # noqa: B008 - Beam's way of asking
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider()),  # noqa: B008
    ) -> Iterator[ShardBatch]:
        """Read until the bundle's time is up."""
        runtime = runtime_of(self._factory)
        watermark.set_watermark(Timestamp.now())  # without an explicit start Prism drops data as late
        position = tracker.current_restriction().start
        until_s = time.monotonic() + self._bundle_s
        while time.monotonic() < until_s:
            for batch in runtime.read(self._poll_s):
                if not tracker.try_claim(position):
                    return
                position += 1
                yield batch
        watermark.set_watermark(Timestamp.now())
        tracker.defer_remainder(Duration(0))

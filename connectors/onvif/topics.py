"""What ONVIF topics mean. A topic is compared by its segments without prefixes, in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["TOPICS", "plain_topic", "topic_metric"]

TOPICS: Final = {
    "VideoSource/MotionAlarm": "security.intrusion.motion",
    "RuleEngine/CellMotionDetector/Motion": "security.intrusion.motion",
    "RuleEngine/MotionRegionDetector/Motion": "security.intrusion.motion",
    "RuleEngine/FieldDetector/ObjectsInside": "security.intrusion.intrusion",
    "RuleEngine/LineDetector/Crossed": "security.intrusion.line_crossing",
    "RuleEngine/LoiteringDetector": "security.intrusion.loitering",
    "RuleEngine/TamperDetector": "security.intrusion.tamper",
    "VideoSource/GlobalSceneChange": "security.intrusion.tamper",
    "VideoSource/SignalLoss": "security.device.video_loss",
    "Device/HardwareFailure": "security.device.fault",
    "VideoSource/ImageTooDark": "",
    "VideoSource/ImageTooBright": "",
    "VideoSource/ImageTooBlurry": "",
    "Device/Trigger": "",
    "Device/OperationMode": "",
    "Monitoring": "",
    "Media": "",
    "Configuration": "",
    "RecordingConfig": "",
    "RecordingHistory": "",
}
"""Topic, or a beginning of it -> metric, "" for known and nothing to count; the longest that fits wins."""


def plain_topic(topic: str) -> str:
    """`tns1:RuleEngine/tnsvendor:LineDetector/Crossed` -> `ruleengine/linedetector/crossed`."""
    return "/".join(segment.rpartition(":")[2] for segment in topic.strip().split("/")).lower()


def topic_metric(topic: str, table: Mapping[str, str]) -> str | None:
    """The metric of a plain topic, None where no entry of the table (of plain topics) fits."""
    segments = topic.split("/")
    for length in range(len(segments), 0, -1):
        beginning = "/".join(segments[:length])
        if beginning in table:
            return table[beginning]
    return None

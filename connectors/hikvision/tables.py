"""What Hikvision's event types mean: public tables. Where they disagree, or a device differs: the options."""

from __future__ import annotations

from typing import Final

__all__ = ["ACCESS", "EVENTS", "PERSONAL"]

EVENTS: Final = {
    **dict.fromkeys(("fielddetection", "regionentrance"), "security.intrusion.intrusion"),
    "linedetection": "security.intrusion.line_crossing",
    "loitering": "security.intrusion.loitering",
    **dict.fromkeys(("vmd", "pir"), "security.intrusion.motion"),
    **dict.fromkeys(("shelteralarm", "tamperdetection", "scenechangedetection"), "security.intrusion.tamper"),
    "unattendedbaggage": "security.intrusion.object_left",
    "attendedbaggage": "security.intrusion.object_removed",
    "rapidmove": "security.intrusion.fast_motion",
    "group": "security.intrusion.crowding",
    "videoloss": "security.device.video_loss",
    **dict.fromkeys(
        ("diskfull", "diskerror", "nicbroken", "ipconflict", "badvideo", "recordingfailure", "defocus"),
        "security.device.fault",
    ),
    **dict.fromkeys(("anpr", "vehicledetection"), "security.video_count.vehicles"),
    **dict.fromkeys(("heartbeat", "io", "regionexiting"), ""),
}
"""Event type, lower case -> metric, "" for known and nothing to count."""

ACCESS: Final = {
    "*": {
        **dict.fromkeys(("5/1", "5/38", "5/75"), "granted"),
        **dict.fromkeys(("5/6", "5/7", "5/8", "5/9", "5/39", "5/76"), "denied"),
        **dict.fromkeys(("5/27", "5/82"), "forced"),
        **dict.fromkeys(("5/28", "5/81"), "held_open"),
        **dict.fromkeys(("5/21", "5/22", "5/23", "5/24"), ""),
    }
}
"""Model (`*`: any other) -> major/sub event type -> metric of security.access, "" for nothing to count."""

PERSONAL: Final = (
    *("name", "cardNo", "employeeNo", "employeeNoString", "personName", "userName", "phoneNumber"),
    *("licensePlate", "originalLicensePlate", "licensePlateNo", "plateNumber", "certificateNumber"),
    *("IDCardNo", "idNum", "QRCodeInfo", "FPID", "faceID", "pictureURL", "picURL", "pictureInfo"),
)
"""Names of elements and keys whose values are personal."""

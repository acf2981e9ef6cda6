"""The second factor: time-based one-time codes (TOTP, RFC 6238), each good once."""

from __future__ import annotations

from typing import Final

import pyotp

__all__ = ["STEP_S", "accepted_step", "new_secret", "uri"]

STEP_S: Final = 30
_EITHER_SIDE: Final = 1
"""Steps that a telephone's clock may be off by (RFC 6238, section 5.2)."""


def new_secret() -> str:
    """160 bits, in base 32."""
    return pyotp.random_base32()


def uri(secret: str, person: str, issuer: str = "Taishi 态势") -> str:
    """What an authenticator scans."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=person, issuer_name=issuer)


def accepted_step(secret: str, code: str, now_ms: int, used_step: int) -> int | None:
    """The time step whose code this is, if later than the last used; None: not accepted.

    The caller keeps it, so that a code that was looked over is good for nobody.
    """
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    now = now_ms // 1000 // STEP_S
    for step in range(now - _EITHER_SIDE, now + _EITHER_SIDE + 1):
        if step > used_step and pyotp.utils.strings_equal(pyotp.TOTP(secret).generate_otp(step), code):
            return step
    return None

"""What is not allowed with a hand-over, and what an unsigned one leads to. Pure; wall time passed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from operations.handover.duty import Term
from operations.handover.model import Handover, HandoverRules
from operations.oncall.model import Message
from operations.people.roles import Person
from schemas.calendar import local
from schemas.errors import received_allowed

__all__ = ["offer_refusal", "sign_refusal", "unsigned", "unsigned_messages", "withdraw_refusal"]


def offer_refusal(
    post: str, person: Person, held: Term | None, standing: Handover | None, rules: HandoverRules
) -> str:
    """Why they may not offer the post, in words; "" if they may.

    Who holds it offers it, and a shift leader for somebody who left. `standing`: the offer that is open.
    """
    if post not in rules.posts:
        return received_allowed("岗位 post", post, rules.posts)
    if standing is not None:
        return f"已有未签的交班 already offered by {standing.outgoing_name}, allowed: sign or withdraw that"
    if held is not None and held.person != person.id and "shift_leader" not in person.roles:
        return f"岗位由他人值守 {post} is held by {held.name}, allowed: {held.name}, or a shift leader"
    return ""


def sign_refusal(handover: Handover, person: Person) -> str:
    """Why they may not sign for it, in words; "" if they may. Two people sign, never one for both."""
    if handover.withdrawn_ms:
        return "交班已撤回 withdrawn, allowed: a new offer"
    if handover.signed_ms:
        return f"已由他人签收 already signed by {handover.incoming_name}（{handover.incoming}）"
    if person.id == handover.outgoing:
        return f"交班人不能签收自己的交班 received {person.id}, who hands over, allowed: somebody else"
    return ""


def withdraw_refusal(handover: Handover, person: Person) -> str:
    """Why they may not take the offer back, in words; "" if they may."""
    if not handover.open:
        return "交班已签收或撤回 signed or withdrawn already, allowed: an open one"
    if person.id != handover.outgoing and "shift_leader" not in person.roles:
        return f"非本人交班 received {person.id}, allowed: {handover.outgoing}, or a shift leader"
    return ""


def unsigned(handover: Handover, rules: HandoverRules, now_ms: int) -> bool:
    """Whether it has waited for its signature for too long."""
    return handover.open and now_ms - handover.offered_ms >= rules.unsigned_s * 1000


def unsigned_messages(handovers: Iterable[Handover], rules: HandoverRules, now_ms: int) -> Iterator[Message]:
    """What those are told whom unsigned hand-overs escalate to; the same key each time."""
    for each in handovers:
        if unsigned(each, rules, now_ms):
            for person in rules.escalate_to:
                yield _message(each, person)


def _message(handover: Handover, person: str) -> Message:
    key = f"handover/{handover.id}/{person}"
    listed = handover.listed
    text = "\n".join(
        (
            f"{handover.outgoing_name} 于 {local(handover.offered_ms):%H:%M} 提出交班，无人签收。not signed",
            f"活动告警 active {len(listed.active)} · 未确认 unacknowledged {len(listed.unacknowledged)} · "
            f"超期案件 overdue cases {len(listed.overdue)}",
            f"编号 key {key}",
        )
    )
    return Message(key, person, f"【交接班】{handover.post} 交班未签收 hand-over not signed", text)

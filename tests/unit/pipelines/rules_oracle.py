"""The rules, judged slowly: one place, one rule, one minute at a time, from the whole history."""

from pipelines.kernels.rules.model import MINUTE_MS, applies

OPERATORS = {
    "above": lambda value, limit: value > limit,
    "below": lambda value, limit: value < limit,
    "at_least": lambda value, limit: value >= limit,
    "at_most": lambda value, limit: value <= limit,
}


def observed(rule, history, at):
    """What the rule compares at minute `at`; None where nothing can be judged.

    `history`: minute -> figures of the place (None: no such figure); minutes that were missing are absent.
    """

    def figure(minute):
        figures = history.get(minute, {})
        value = figures.get(rule.figures[0])
        if rule.per and value is not None:
            whole = figures.get(rule.per)
            return value / whole if whole else None
        return value

    if any((history[at].get(name) is None) or history[at][name] < least for name, least in rule.needs):
        return None
    if rule.kind == "threshold":
        return figure(at)
    if rule.kind == "rate":
        now, then = figure(at), figure(at - rule.over_minutes)
        return None if now is None or then is None else now - then
    if rule.kind == "count":
        heard = [figure(minute) for minute in range(at - rule.over_minutes + 1, at + 1)]
        return (
            sum(value for value in heard if value is not None) if any(v is not None for v in heard) else None
        )
    before = sorted(minute for minute in history if minute <= at)
    heard = [minute for minute in before if (figure(minute) or 0) > 0]
    return 60.0 * sum(1 for minute in before if minute > heard[-1]) if heard else None


class Timers:
    """On-delay, off-delay and deadband of one place, as a person would keep them on paper."""

    def __init__(self, rule):
        self.rule = rule
        self.onset = None
        self.clearing = None
        self.active = False

    def minute(self, at_ms, value):
        """("raised" | "cleared", onset) or None."""
        rule = self.rule
        if not applies(rule, at_ms):
            was, onset = self.active, self.onset
            self.__init__(rule)
            return ("cleared", onset) if was else None
        if value is None:
            return None
        upward = rule.bound in ("above", "at_least")
        limit = rule.threshold
        if self.active:
            limit += -rule.deadband if upward else rule.deadband
        holds = OPERATORS[rule.bound](value, limit)
        return self._clear(at_ms, holds) if self.active else self._raise(at_ms, holds)

    def _raise(self, at_ms, holds):
        if not holds:
            self.onset = None
            return None
        self.onset = at_ms if self.onset is None else self.onset
        if at_ms - self.onset >= self.rule.on_delay_s * 1000:
            self.active, self.clearing = True, None
            return ("raised", self.onset)
        return None

    def _clear(self, at_ms, holds):
        if holds:
            self.clearing = None
            return None
        self.clearing = at_ms if self.clearing is None else self.clearing
        if at_ms - self.clearing >= self.rule.off_delay_s * 1000:
            onset = self.onset
            self.__init__(self.rule)
            return ("cleared", onset)
        return None


def judged(rule, history):
    """Everything the rule says of one place: (minute ms, raised | cleared, onset ms)."""
    timers = Timers(rule)
    found = []
    for minute in sorted(history):
        known = {at: figures for at, figures in history.items() if at <= minute}
        if change := timers.minute(minute * MINUTE_MS, observed(rule, known, minute)):
            found.append((minute * MINUTE_MS, *change))
    return found


def active_minutes(rule, history):
    """The minutes at whose end the rule was active at the place."""
    changes = {at_ms: what for at_ms, what, _ in judged(rule, history)}
    active, found = False, set()
    for minute in sorted(history):
        active = {"raised": True, "cleared": False}.get(changes.get(minute * MINUTE_MS), active)
        if active:
            found.add(minute)
    return found


def combined(rule, members, minutes):
    """What a combination says of a place: `members`: for each the minutes at which it was active there."""
    timers, found, begun = Timers(rule), [], False
    for minute in minutes:
        lately = range(minute - rule.over_minutes, minute + 1)
        holds = all(any(at in active for at in lately) for active in members)
        begun = begun or any(minute in active for active in members)
        if begun and (change := timers.minute(minute * MINUTE_MS, float(holds))):
            found.append((minute * MINUTE_MS, *change))
    return found

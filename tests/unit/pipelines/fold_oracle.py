"""The fold again, slowly: dictionaries, one reading at a time, every window from scratch at every flush.

It shares no code with the kernel, only the vocabulary.
"""

from collections import defaultdict
from itertools import pairwise

from schemas.kinds import KINDS, METRICS
from schemas.measures import MEASURES


def oracle(domain, settings, log):
    """`log`: (offset, append_ms, reading dict or None for a tick). Returns (upserts, accounts).

    `upserts`: list of (revision, window_s, start_ms, grid, {measure: value}) in order.
    """
    return _Oracle(domain, settings).run(log)


class _Oracle:
    def __init__(self, domain, settings):
        self.domain, self.settings = domain, settings
        self.accepted, self.identities = [], set()
        self.grids = []
        self.mark = self.closed = self.oldest_new = None
        self.sent, self.upserts = {}, []
        self.accounts = defaultdict(int)

    def run(self, log):
        pane_ms = self.settings.pane_ms
        for offset, append_ms, reading in log:
            mark = append_ms - self.settings.delay_ms
            if self.mark is None:
                self.mark, self.closed = mark, mark // pane_ms
            self.mark = max(mark, self.mark)
            if self.mark // pane_ms > self.closed:
                self.flush(offset)
            if reading is not None:
                self.take(append_ms, reading)
        return self.upserts, dict(self.accounts)

    def take(self, append_ms, r):
        if r["grid"] not in self.grids:
            self.grids.append(r["grid"])
        metric = METRICS[f"{r['kind']}.{r['metric']}"]
        if not metric.low <= r["value"] <= metric.high or (
            r["observed_at_ms"] > append_ms + self.settings.skew_max_ms
        ):
            self.accounts["quarantined"] += 1
            return
        if r["observed_at_ms"] < self.mark - self.settings.lateness_ms:
            self.accounts["late"] += 1
            return
        identity = (r["device"], r["kind"], r["metric"], r["grid"], r["observed_at_ms"], r["seq"])
        if identity in self.identities:
            self.accounts["duplicate"] += 1
            return
        self.identities.add(identity)
        self.accounts["stored"] += 1
        pane = r["observed_at_ms"] // self.settings.pane_ms
        self.oldest_new = min(pane, self.closed if self.oldest_new is None else self.oldest_new)
        self.accepted.append(r)

    def flush(self, revision):
        boundary = self.mark // self.settings.pane_ms
        pane_ms = self.settings.pane_ms
        kept = self.settings.oldest_kept(boundary * pane_ms) * pane_ms
        first = self.closed if self.oldest_new is None else min(self.closed, self.oldest_new)
        self.oldest_new = None
        times = {r["observed_at_ms"] for r in self.accepted}
        panes = [t // pane_ms for t in times] + list(range(max(first, kept // pane_ms), boundary))
        windows = set()
        for size in self.settings.window_s:
            for pane in panes:
                start = pane * pane_ms // (size * 1000) * size * 1000
                if start + size * 1000 <= boundary * pane_ms:
                    windows.add((start + size * 1000, size, start))
            windows |= {(start + size * 1000, size, start) for s, start in self.sent if s == size}
        for end, size, start in sorted(windows):
            self.send(revision, size, start, end)
        self.closed = boundary

    def send(self, revision, size, start, end):
        first = (size, start) not in self.sent
        before = self.sent.setdefault((size, start), {})
        for grid in self.grids:
            values = self.values(grid, start, end)
            if first or values != before.get(grid, dict.fromkeys(values, 0)):
                before[grid] = values
                self.upserts.append((revision, size, start, grid, values))

    def values(self, grid, start, end):
        mine = [r for r in self.accepted if r["grid"] == grid and r["observed_at_ms"] < end]
        inside = [r for r in mine if r["observed_at_ms"] >= start]
        return {
            m.name: sum(self.term(t, mine, inside, start, end) for t in m.terms)
            for m in MEASURES[self.domain]
        }

    def term(  # noqa: C901, PLR0911 - a flat list of the rules reads best
        self, term, mine, inside, start, end
    ):
        def key(r):
            return f"{r['kind']}.{r['metric']}"

        mine = [r for r in mine if key(r) in term.metrics]
        inside = [r for r in inside if key(r) in term.metrics]
        if term.rule == "count":
            return len(inside)
        if term.rule == "sum":
            return sum(r["value"] for r in inside)
        if term.rule == "simulated":
            return sum(r["simulated"] for r in inside)
        if term.rule == "out_of_normal":
            return sum(not _normal(METRICS[key(r)], r["value"]) for r in inside)
        if term.rule == "distinct_devices":
            return len({r["device"] for r in inside})
        if term.rule == "distinct_subjects":
            return len({r["subject"] for r in inside if r["subject"]})
        series = defaultdict(list)
        for r in mine:
            if METRICS[key(r)].series == "gauge":
                series[r["device"], key(r)].append((r["observed_at_ms"], r["seq"], r["value"], r["kind"]))
        if term.rule == "rises":
            return sum(_rises(sorted(rows), start) for rows in series.values())
        total = 0
        for rows in series.values():
            time_ms, _, value, kind = max(rows)
            silent = end - time_ms > KINDS[kind].silent_after_s * 1000
            if not (term.rule.endswith("_silent") and not silent) and not (
                term.rule.endswith("_live") and silent
            ):
                total += value if term.rule.startswith("held") else 1
        return total


def _normal(metric, value):
    return metric.normal is None or metric.normal[0] <= value <= metric.normal[1]


def _rises(rows, start):
    return sum(max(0, b[2] - a[2]) for a, b in pairwise(rows) if b[0] >= start)

"""The part of InfluxDB 2.x's API that makes buckets, beside the fake: orgs, buckets, dbrps.

After the published description (docs.influxdata.com/influxdb/v2/api): fields and status codes are its. No 2.x
was at hand to compare with.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

ORG_ID = "0a1b2c3d4e5f6071"


class BucketApi:
    """Answers for a `FakeInfluxDb` with an `org`; `allowed` False: the token may write and nothing else."""

    def __init__(self, fake: Any) -> None:
        self.fake, self.allowed = fake, True
        self.said: list[dict[str, object]] = []
        self.calls: list[tuple[str, str]] = []
        self.tokens: dict[str, dict[str, object]] = {}

    def __call__(self, verb: str, path: str, arguments: dict[str, str], body: str) -> tuple[int, object]:
        self.calls.append((verb, path))
        if not self.allowed:
            return 403, {"code": "forbidden", "message": "insufficient permissions"}
        given = json.loads(body) if body else {}
        kind, _, name = path.removeprefix("/api/v2/").partition("/")
        answer = {
            "orgs": self._orgs, "buckets": self._buckets, "dbrps": self._dbrps,
            "authorizations": self._authorizations,
        }[kind]  # fmt: skip
        return answer(verb, name, arguments, given)

    def _orgs(self, _verb: str, _name: str, arguments: dict[str, str], _given: Any) -> tuple[int, object]:
        if arguments["org"] != self.fake.org:
            return 404, {"code": "not found", "message": f"organization name {arguments['org']!r} not found"}
        return 200, {"orgs": [{"id": ORG_ID, "name": self.fake.org}]}

    def _buckets(self, verb: str, name: str, arguments: dict[str, str], given: Any) -> tuple[int, object]:
        if verb == "GET":
            found = [self._told(each) for each in self._names() if each == arguments["name"]]
            return 200, {"buckets": found}
        if verb == "POST" and given["name"] in self._names():
            return 422, {"code": "conflict", "message": f"bucket with name {given['name']} already exists"}
        name = given["name"] if verb == "POST" else bytes.fromhex(name).decode()
        if verb == "DELETE":
            database, _, policy = name.partition("/")
            self.fake.databases[database].pop(policy)
            self.said = [each for each in self.said if each["bucketID"] != name.encode().hex()]
            return 204, None
        if verb == "POST" and given["orgID"] != ORG_ID:
            return 400, {"code": "invalid", "message": "orgID"}
        database, _, policy = name.partition("/")
        held = self.fake.databases.setdefault(database, {})
        made = held.setdefault(policy, self.fake.new_bucket())
        (rule,) = given["retentionRules"]
        assert rule["type"] == "expire"
        made.keep_s, made.shard_s = rule["everySeconds"], rule["shardGroupDurationSeconds"]
        # A virtual mapping is the default of a database that has none.
        made.default = made.default or not any(each.default for each in held.values())
        return (201 if verb == "POST" else 200), self._told(name)

    def _names(self) -> list[str]:
        return [f"{database}/{policy}" for database, held in self.fake.databases.items() for policy in held]

    def _told(self, name: str) -> dict[str, object]:
        database, _, policy = name.partition("/")
        held = self.fake.databases[database][policy]
        rule = {
            "type": "expire", "everySeconds": held.keep_s, "shardGroupDurationSeconds": held.shard_s,
        }  # fmt: skip
        return {"id": name.encode().hex(), "orgID": ORG_ID, "name": name, "retentionRules": [rule]}

    def _dbrps(self, verb: str, name: str, arguments: dict[str, str], given: Any) -> tuple[int, object]:
        if verb == "GET":
            return 200, {"content": [each for each in self._mappings() if _chosen(each, arguments)]}
        if verb == "PATCH":
            (mapping,) = (each for each in self.said if each["id"] == name)
            mapping.update(given)
        else:
            mapping = {
                "id": f"{len(self.said):016x}", "orgID": given["orgID"], "bucketID": given["bucketID"],
                "database": given["database"], "retention_policy": given["retention_policy"],
                "default": given["default"], "virtual": False,
            }  # fmt: skip
            self.said.append(mapping)
        for policy, held in self.fake.databases[str(mapping["database"])].items():
            held.default = policy == mapping["retention_policy"]
        return (201 if verb == "POST" else 200), mapping

    def _authorizations(
        self, verb: str, name: str, _arguments: dict[str, str], given: Any
    ) -> tuple[int, object]:
        if verb == "GET":
            return 200, {"authorizations": list(self.tokens.values())}
        if verb == "DELETE":
            self.tokens.pop(name)
            return 204, None
        made = given | {"id": secrets.token_hex(8), "token": secrets.token_urlsafe()}
        self.tokens[made["id"]] = made
        return 201, made

    def _mappings(self) -> list[dict[str, object]]:
        spoken_for = {each["bucketID"] for each in self.said}
        virtual = [
            {
                "id": name.encode().hex(), "orgID": ORG_ID, "bucketID": name.encode().hex(),
                "database": name.split("/")[0], "retention_policy": name.split("/")[1],
                "default": self.fake.databases[name.split("/")[0]][name.split("/")[1]].default,
                "virtual": True,
            }
            for name in self._names()
            if name.encode().hex() not in spoken_for
        ]  # fmt: skip
        return [*self.said, *virtual]


def _chosen(mapping: dict[str, object], arguments: dict[str, str]) -> bool:
    return mapping["database"] == arguments["db"] and mapping["bucketID"] == arguments["bucketID"]

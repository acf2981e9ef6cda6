"""What kustomize makes of a base, as far as ours uses it: patches of pods merged by name, in the order given.

Not kustomize itself: names, hashes of config maps and images stay as they stand in the files.
"""

import copy
from pathlib import Path

import yaml

MERGED_BY_NAME = {"containers", "initContainers", "volumes", "env", "volumeMounts", "envFrom"}


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def rendered(base: Path):
    """Every object of the base, patched; kustomize's strategic merge for the lists named above."""
    plan = yaml.safe_load((base / "kustomization.yaml").read_text("utf-8"))
    objects = [each for name in plan["resources"] for each in documents(base / name)]
    for patch in plan["patches"]:
        (over,) = documents(base / patch["path"])
        objects = [
            _merged(each, over | {"metadata": {}}) if _meant(patch["target"], each) else each
            for each in objects
        ]
    return objects


def _meant(target, given):
    name, _, value = target.get("labelSelector", "").partition("=")
    labels = given["metadata"].get("labels", {})
    return given["kind"] == target["kind"] and (not name or labels.get(name) == value)


def _merged(below, over):
    made = copy.deepcopy(below)
    for key, value in over.items():
        if key in MERGED_BY_NAME and key in made:
            made[key] = _listed(made[key], value)
        elif isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = _merged(made[key], value)
        else:
            made[key] = copy.deepcopy(value)
    return made


def _listed(below, over):
    made = {_name(each): each for each in below}
    for each in over:
        made[_name(each)] = _merged(made.get(_name(each), {}), each)
    return list(made.values())


def _name(each):
    return each.get("mountPath") or each.get("name") or str(each)

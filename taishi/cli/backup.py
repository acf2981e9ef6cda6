"""`taishi backup DIR` and `taishi restore DIR`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from operations.oncall.clock import now_ms
from taishi.backup import vault
from taishi.backup.restore import restore as restored_from
from taishi.backup.take import take
from taishi.settings import load_settings

__all__ = ["backup", "restore"]

_folder = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
_key = click.option(
    "--vault-key",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="file with the key of keys, residents and senders; a backup makes it where there is none",
)
_json = click.option("--json", "as_json", is_flag=True, help="one object")


@click.command()
@_folder
@_key
@_json
def backup(folder: Path, vault_key: Path | None, as_json: bool) -> None:
    """备份。Back up this installation into DIR, running or stopped; an older backup there is replaced."""
    key = vault.read_key(vault_key, make=True) if vault_key else None
    taken = take(load_settings(), folder, key)
    manifest = taken.manifest
    figures = {
        "taken_at": _moment(manifest.taken_at_ms),
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "took_s": round(taken.took_s, 1),
        "stood_s": round(taken.stood_s, 2),
        "left_out": list(manifest.left_out),
    }
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    size = f"{len(manifest.files)} files, {manifest.bytes / 2**20:.1f} MiB"
    click.echo(f"已备份 Backed up: {size}, in {taken.took_s:.1f} s")
    click.echo(f"日志与时序库停顿 Log and store stood still for {taken.stood_s:.2f} s")
    click.echo(f"RPO: 此后的数据不在其中 what is accepted after {figures['taken_at']} is not in it")
    for each in manifest.left_out:
        click.echo(f"未包含 Left out: {each}")
    if vault_key:
        click.echo(
            f"密钥须另存 Keep {vault_key} elsewhere: who has both reads everything, who lost it nothing"
        )


@click.command()
@_folder
@_key
@click.option("--without-vault", is_flag=True, help="leave keys, residents and senders under seal")
@_json
def restore(folder: Path, vault_key: Path | None, without_vault: bool, as_json: bool) -> None:
    """恢复。Restore a backup from DIR into an installation that has nothing and does not run."""
    key = vault.read_key(vault_key) if vault_key else None
    done = restored_from(load_settings(), folder, key, without_vault=without_vault)
    missing_s = (now_ms() - done.manifest.taken_at_ms) / 1000
    figures = {
        "taken_at": _moment(done.manifest.taken_at_ms),
        "rpo_s": round(missing_s),
        "rto_s": round(done.took_s, 1),
        "files": len(done.manifest.files),
        "secrets": [str(path) for path in done.opened],
    }
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    click.echo(f"已恢复 Restored: {figures['files']} files of {figures['taken_at']}")
    click.echo(f"RPO: 缺少 what was accepted in the last {missing_s / 60:.1f} min is missing")
    click.echo(f"RTO: {done.took_s:.1f} s 已用 so far; `taishi up` adds its start")
    if not done.opened:
        click.echo(
            "密钥未恢复 No keys: without keys.json the next start makes new ones, and people other pseudonyms"
        )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")

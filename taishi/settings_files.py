"""Where settings are read from, beside the environment."""

from __future__ import annotations

import os
from pathlib import Path

from schemas.errors import SettingsError

__all__ = ["secrets_folders", "settings_file"]


def settings_file() -> Path:
    """The TOML file of the settings, which need not be there."""
    return Path(os.environ.get("TAISHI_SETTINGS", "taishi.toml"))


def secrets_folders() -> list[Path]:
    """Folders of TAISHI_SECRETS_FOLDERS (`:` between them) with a file a secret, `taishi_influxdb_token`."""
    folders = [Path(each) for each in os.environ.get("TAISHI_SECRETS_FOLDERS", "").split(os.pathsep) if each]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise SettingsError(f"TAISHI_SECRETS_FOLDERS: received {', '.join(missing)}, allowed: folders")
    return folders

"""What docs/deploy.md asks of the operator before the first start: secrets, and the list of devices."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Final

from tests.host import compose
from tests.host.certificates import make_certificates

if TYPE_CHECKING:
    from tests.host.installation import Host

TAISHI: Final = 10001
GRID: Final = "370202001001001"


def prepare(host: Host) -> None:
    """What docs/deploy.md asks of the operator, made by the product's own commands where it has them."""
    own = make_certificates(["localhost", "kafka", "mosquitto"])
    passwords = {name: secrets.token_urlsafe(24) for name in ("kafka", "postgres", "influxdb", "token")}
    told = own | {
        "kafka_keystore": own["tls_key"] + own["tls_certificate"],
        "kafka_password": passwords["kafka"].encode(),
        "kafka_users": (
            "KafkaServer { org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_taishi="{passwords["kafka"]}"; }};'
        ).encode(),
        "postgres_password": passwords["postgres"].encode(),
        "operations_database": (
            f"postgresql+psycopg://taishi:{passwords['postgres']}@postgres/taishi".encode()
        ),
        "influxdb_admin_user": b"operator",
        "influxdb_admin_password": passwords["influxdb"].encode(),
        "influxdb_admin_token": passwords["token"].encode(),
        "oncall.toml": (
            '[people]\n"值班员" = ["json://127.0.0.1:9/"]\n[[routes]]\nname = "all"\n'
            'steps = [{ people = ["值班员"] }]\n'
        ).encode(),
    }
    files = {name: str(host.secrets / name) for name in ("senders.toml", "keys.json")}
    host.taishi("keys", "create", TAISHI_KEYS_FILE=files["keys.json"])
    for name, words in SENDERS.items():
        said = host.taishi(
            "senders", "add", name, *words, "--json", TAISHI_SENDERS_FILE=files["senders.toml"]
        )
        host.senders[name] = json.loads(said)["secret"]
    told["mqtt_password"] = host.senders["connect-mqtt"].encode()
    owners = compose.owners()
    for name, content in told.items():
        (host.secrets / name).write_bytes(content)
    for path in host.secrets.iterdir():
        owner = owners[path.name]
        path.chmod(0o600 if path.name in files else 0o400)
        os.chown(path, owner, owner)
    shared = host.secrets / "influxdb_admin_token"
    shared.chmod(0o440)
    os.chown(shared, owners[shared.name], TAISHI)
    (host.etc / "devices.csv").write_text(
        "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated\n"
        f"gate-1,native,security.access,{GRID},,,,,,false\n"
        f"home-1,native,care.activity,{GRID},,,,,,false\n"
        f"sos-1,native,care.emergency,{GRID},,,,,,false\n"
    )


SENDERS: Final = {
    "connect-mqtt": ("--mqtt", "--connector"),
    "gateway-1": ("--paths", "/readings"),
    "home-1": ("--mqtt",),
}

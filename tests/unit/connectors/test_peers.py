"""Networks that may speak where nobody shows a credential."""

import pytest

from connectors.peers import Peers
from schemas.errors import SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_without_more_only_this_machine_may(host):
    assert Peers().allow(host)


@pytest.mark.parametrize("host", ["10.2.0.1", "192.0.2.1", "::ffff:10.2.0.1", "fe80::1%eth0", "2001:db8::1"])
def test_others_may_not(host):
    assert not Peers().allow(host)


def test_the_networks_named_may_and_their_neighbours_may_not():
    peers = Peers(["10.2.0.0/16", "2001:db8::/32"])
    assert peers.allow("10.2.255.1")
    assert peers.allow("2001:db8:1::7")
    assert not peers.allow("10.3.0.1")
    assert not peers.allow("127.0.0.1")


@pytest.mark.parametrize("network", ["10.2.0.1/16", "cameras", "", "10.2.0.0/33"])
def test_what_is_no_network_is_refused(network):
    with pytest.raises(SettingsError, match=r"allowed: networks such as 10\.2\.0\.0/16"):
        Peers([network])

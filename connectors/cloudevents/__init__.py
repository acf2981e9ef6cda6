"""CloudEvents 1.0: an envelope around what another codec reads."""

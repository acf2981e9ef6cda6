"""GB/T 28181 alarm notifications (MANSCDP XML), as a SIP body or pushed over HTTP."""

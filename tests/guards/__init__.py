"""An HSM and a key management server that tests run: SoftHSM2, and PyKMIP's server."""

"""What tests of connectors and of this package lean on: real servers on this machine, and the conformance suite."""

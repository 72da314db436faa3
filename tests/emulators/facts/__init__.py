"""What AWS does, as facts that an emulator either shows or doesn't. One module a service."""

"""Repairs of the emulators toward AWS, one module an emulator and service."""

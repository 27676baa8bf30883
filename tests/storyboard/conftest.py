import os

import pytest


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch):
    """Waiting for the disk guards against power cuts only, and would be most of the tests' time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)

"""What `make test` needs of the machine is asked for before it runs, with the package to install."""

from __future__ import annotations

from tests import chromium


def test_a_driver_that_cannot_start_is_told_with_the_package_it_wants():
    said = chromium.no_driver(["sh", "-c", "echo libatomic.so.1: cannot open >&2; exit 127"])
    assert said is not None
    assert "libatomic.so.1: cannot open" in said
    assert "apt-get install libatomic1" in said


def test_a_driver_that_starts_is_no_complaint():
    assert chromium.no_driver(["true"]) is None

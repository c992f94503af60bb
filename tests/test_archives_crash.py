"""Whoever archives is killed at every step, for real: nothing is lost, nothing doubled, and the next run ends it."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.utils import timezone

from audit import archive_files, archiving
from audit.models import Archive, Archived, Event
from pim_portal.keeping import services
from tests.archived import archive, happened, keep, places, sealed
from tests.sealed import key_in, verified

# What moving events out does, in order: (the object, its function, which call of it).
STEPS: dict[str, tuple[Any, str, int]] = {
    "the events chosen": (archiving, "oldest_first", 1),
    "the events on the disk": (os, "fsync", 1),
    "the texts on the disk": (os, "fsync", 2),
    "the texts under their name": (Path, "replace", 1),
    "the events under their name": (Path, "replace", 2),
    "the folder on the disk": (archive_files, "sync_folder", 1),
    "read again": (archiving, "check_archive", 1),
    "told of": (services, "record", 1),
    "the row": (Archive, "save", 1),
    "the tombstones": (models.QuerySet, "bulk_create", 2),
    "settled": (archiving, "settle", 1),
    "committed": (transaction.Atomic, "__exit__", 2),
    "the texts removed": (archiving, "_delete", 2),
    "the events removed": (archiving, "_delete", 3),
    "a part removed": (archiving, "remove", 1),
    "another part removed": (archiving, "remove", 2),
}


def killed_at(step: str, moment: str, run: Callable[[], object]) -> bool:
    """Run this in a process of its own that is killed at this step; return whether it came so far."""
    connection.close()  # no connection lives through a fork
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        owner, name, which = STEPS[step]
        real, calls = getattr(owner, name), 0

        def die(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == which and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = real(*args, **kwargs)
            if calls == which:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        try:
            setattr(owner, name, die)
            run()
        except BaseException:  # noqa: BLE001 - the child must never come back into the tests
            os._exit(2)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, (step, moment, status)
    return os.WIFSIGNALED(status)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(240)
def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(tmp_path, monkeypatch):
    key, folder = key_in(tmp_path), tmp_path / "archives"
    monkeypatch.setattr(archiving, "PART", 2)
    keep(90)
    run = partial(archive, folder, tmp_path / "key.pem")
    everything: set[Any] = set()
    kills = 0
    for step in STEPS:
        # Before one step is mostly after another.
        for moment in ("before", "after") if step in ("committed", "told of") else ("after",):
            kills += 1
            happened(5)
            sealed(key)
            everything |= set(Event.objects.values_list("uuid", flat=True))
            assert killed_at(step, moment, run), (step, moment)
            known = places(folder)
            assert everything <= known.keys(), (step, moment)
            in_both = set(Archived.objects.filter(event__in=Event.objects.values("pk")).values_list("uuid", flat=True))
            assert {one for one, count in known.items() if count > 1} == in_both, (step, moment)
            run()
            assert set(places(folder).values()) == {1}, (step, moment)
            assert everything <= places(folder).keys(), (step, moment)
    sealed(key)
    progress = verified(key, now=timezone.now(), archives=folder)
    assert progress.finding is None
    assert progress.archived == 5 * kills
    assert progress.absent == []


@pytest.mark.django_db
def test_of_two_who_archive_the_same_at_once_one_comes_to_nothing(tmp_path, monkeypatch):
    """On two machines, where no lock of a folder keeps them apart."""
    key, folder = key_in(tmp_path), tmp_path / "archives"
    happened(3)
    sealed(key)
    keep(90)
    real = archiving.write
    with services._alone(folder), pytest.raises(services.AnotherArchives):
        archive(folder, tmp_path / "key.pem")

    def another_is_faster(*args: Any, **kwargs: Any) -> Any:
        written = real(*args, **kwargs)
        monkeypatch.setattr(archiving, "write", real)
        archive(tmp_path / "elsewhere", tmp_path / "key.pem")
        return written

    monkeypatch.setattr(archiving, "write", another_is_faster)
    with pytest.raises(archiving.MovedMeanwhile):
        archive(folder, tmp_path / "key.pem")
    assert (Archive.objects.count(), Archived.objects.count()) == (1, 3)
    sealed(key)
    assert verified(key, now=timezone.now(), archives=tmp_path / "elsewhere").finding is None

"""What a Prometheus server collects: the figures of health, read when it asks. Counts and times only, and no names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from approvals.models import Request
from pim_portal.operations.vitals import Figures, measure, vitals
from roles.models import Assignment, RoleKind


class _Portal(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        figures = measure(self.now)
        yield from _plain(figures)
        well = GaugeMetricFamily("pim_well", "1 where all is well, by part.", labels=["part"])
        for vital in vitals(figures):
            well.add_metric([vital.key], 1.0 if vital.well else 0.0)
        yield well
        beats = GaugeMetricFamily(
            "pim_job_last_run_seconds", "When a recurring job last ended, Unix time.", labels=["job"]
        )
        for job, at in figures.beats.items():
            beats.add_metric([job], at.timestamp())
        yield beats
        held = Assignment.objects.in_effect(self.now).active().exclude(role__kind=RoleKind.GROUP)
        yield GaugeMetricFamily(
            "pim_activations", "Activations in effect.", value=held.filter(activated_from__isnull=False).count()
        )
        waiting = Request.objects.waiting(self.now)
        yield GaugeMetricFamily("pim_requests_waiting", "Requests that wait for a decision.", value=waiting.count())


def _plain(figures: Figures) -> Iterator[Metric]:
    def age(since: datetime | None) -> float:
        return (figures.now - since).total_seconds() if since else 0.0

    for name, help, value in (
        ("pim_clock_skew_seconds", "Between this process and the database.", figures.skew.total_seconds()),
        ("pim_queue_tasks", "Tasks that wait for the worker.", figures.queued),
        ("pim_mails_waiting", "Mails that wait to be sent.", figures.mails_waiting),
        ("pim_mails_oldest_seconds", "How long the oldest of them has waited.", age(figures.oldest_mail)),
        ("pim_mails_failed", "Mails that were set aside.", figures.mails_failed),
        ("pim_events_unsealed", "Events of the history that are not sealed yet.", figures.unsealed),
        ("pim_events_unsealed_oldest_seconds", "How long the first has waited.", age(figures.oldest_unsealed)),
        ("pim_events_sealed", "Sealed events of the history.", figures.sealed),
    ):
        yield GaugeMetricFamily(name, help, value=value)


def registry() -> CollectorRegistry:
    """Return what is told now; nothing is kept in this process, so every web process says the same."""
    made = CollectorRegistry(auto_describe=False)
    made.register(_Portal(timezone.now()))
    return made

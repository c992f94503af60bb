"""One model for each way to keep a history of it, with the columns of a small one of ours."""

# ruff: noqa: DJ008 - nobody shows them

from auditlog.registry import auditlog
from django.db import models
from simple_history.models import HistoricalRecords


class Place(models.Model):
    """What a permission is given on."""

    name = models.CharField(max_length=200)

    class Meta:
        app_label = "rivals"


class Plain(models.Model):
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500)

    class Meta:
        app_label = "rivals"


class Logged(models.Model):
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500)

    class Meta:
        app_label = "rivals"


class Remembered(models.Model):
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500)
    history = HistoricalRecords()

    class Meta:
        app_label = "rivals"


auditlog.register(Logged)

"""Fields for what is typed in more than one way: a duration, and a moment in the viewer's own zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_NUMBER = r"[0-9]{1,5}(?:[.,][0-9]{1,4})?"
_BARE = re.compile(_NUMBER)
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9])")
_WORDS = re.compile(
    rf"(?:(?P<hours>{_NUMBER})\s*(?:h|hrs?|hours?))?\s*(?:(?P<minutes>{_NUMBER})\s*(?:m|mins?|minutes?))?",
    re.IGNORECASE,
)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class DurationField(forms.CharField):
    """A duration: a number of the field's unit, or "1:30", "1 h 30 min", "90 min". Whole minutes."""

    def __init__(self, *, longest: timedelta, **kwargs: Any) -> None:
        self.in_minutes = longest < 2 * _HOUR
        attributes = {"inputmode": "decimal", "autocomplete": "off", "class": "number"}
        super().__init__(**{"widget": forms.TextInput(attributes), **kwargs})
        self.error_messages["required"] = _("Say for how long.")

    @property
    def unit(self) -> str:
        """What a bare number counts, said behind the field."""
        return _("minutes") if self.in_minutes else _("hours")

    def clean(self, value: Any) -> timedelta | None:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        minutes = self._minutes(text)
        if minutes is None:
            example = _("30, or 1:30 for an hour and a half") if self.in_minutes else _("1.5, or 1:30")
            sentence = _("Write a number of {unit}, such as {example}.")
            raise ValidationError(sentence.format(unit=self.unit, example=example), code="invalid")
        return timedelta(minutes=round(minutes))

    def _minutes(self, text: str) -> Decimal | None:
        if clock := _CLOCK.fullmatch(text):
            return Decimal(clock[1]) * 60 + Decimal(clock[2])
        if _BARE.fullmatch(text):
            return _decimal(text) * (1 if self.in_minutes else 60)
        if words := _WORDS.fullmatch(text):
            return _decimal(words["hours"] or "0") * 60 + _decimal(words["minutes"] or "0")
        return None

    def prepare_value(self, value: Any) -> Any:
        """Write a duration as it would be typed; what was typed stays as it is."""
        if not isinstance(value, timedelta):
            return value
        minutes = value // _MINUTE
        if self.in_minutes:
            return str(minutes)
        if minutes % 30 == 0:
            return f"{minutes / 60:g}"
        return f"{minutes // 60}:{minutes % 60:02d}"


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


class LocalDateTimeField(forms.Field):
    """A date and time on the viewer's clock; a time that this clock shows twice or never is asked for again."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    default_error_messages = {"required": gettext_lazy("Choose a date and a time.")}

    def prepare_value(self, value: Any) -> Any:
        """Show a moment on the viewer's clock; what was typed stays as it is."""
        if isinstance(value, datetime) and timezone.is_aware(value):
            return timezone.localtime(value).replace(tzinfo=None)
        return value

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = parse_datetime(str(value).strip())
            if moment is None:
                raise ValueError
            # In UTC, as the database keeps it: the first and last days that can be written may be none there.
            if timezone.is_aware(moment):
                return moment.astimezone(UTC)
            zone = timezone.get_current_timezone()
            earlier, later = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
            earlier.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(_("Write a date and a time, such as 2026-11-23 21:30."), code="invalid") from None
        if earlier.utcoffset() == later.utcoffset():
            return earlier
        if (earlier.utcoffset() or timedelta()) > (later.utcoffset() or timedelta()):
            sentence = _("The clock shows this time twice that night. Choose a time before or after that hour.")
        else:
            sentence = _("The clock skips this time that night. Choose a time before or after that hour.")
        raise ValidationError(sentence, code="ambiguous")

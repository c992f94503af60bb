"""A form that can say what a service refused."""

from __future__ import annotations

from django import forms

from roles.refusals import Refused


class RefusableForm(forms.Form):
    """A form that shows what a service refused beside the fields."""

    def add_refusal(self, refused: Refused) -> None:
        """Show each violation beside the field that it speaks of."""
        for violation in refused.violations:
            self.add_error(violation.field if violation.field in self.fields else None, str(violation.message))

"""What may be searched for."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.models.principals import search_key

SHORTEST = 2
MOST_WORDS = 8


class SearchForm(forms.Form):
    """The words of a search, folded; an empty one is no mistake."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search roles, resources, people"))

    def clean_q(self) -> str:
        words = self.cleaned_data["q"].split()
        if words and sum(map(len, words)) < SHORTEST:
            raise forms.ValidationError(_("Type at least two characters."), code="too_short")
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(_("Type at most eight words."), code="too_many")
        return " ".join(words)

    @property
    def words(self) -> list[str]:
        """The words as they are compared; without a valid query none."""
        return search_key(self.cleaned_data["q"]).split() if self.is_valid() else []

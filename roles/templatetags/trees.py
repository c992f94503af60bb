"""A tree of places on a page. A template that includes itself for each of 150 places took most of the page's time."""

from __future__ import annotations

from django import template
from django.forms.utils import flatatt
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles.marks import tag
from roles.markup import format_html, format_html_join
from roles.places import address
from roles.selectors.trees import Branch, Tree

register = template.Library()


@register.simple_tag
def branches_of(tree: Tree) -> SafeString:
    """Show the branches of a tree: each place with what lies below it, folded where it lies deep."""
    return _all(tree.branches)


def _all(branches: list[Branch]) -> SafeString:
    shown = ((_leaf(one), _below(one) if one.place.numchild else "") for one in branches)
    return format_html_join("\n", '<li class="branch"><div class="leaf">{}</div>{}</li>', shown)


def _leaf(branch: Branch) -> SafeString:
    place = branch.place
    where = _("in {place}").format(place=branch.where) if branch.where else ""
    said = " · ".join(filter(None, (str(place.get_kind_display()), place.type, where)))
    retired = format_html(" {}", tag("", _("Retired"))) if place.retired_at else ""
    return format_html('<a href="{}">{}</a> <span class="muted">{}</span>{}', address(place), place.name, said, retired)


def _below(branch: Branch) -> SafeString:
    return format_html(
        '<details{}><summary><span class="visually-hidden">{}</span></summary><ul>{}{}</ul></details>',
        flatatt({"open": branch.open and bool(branch.children)}),
        _("What lies below {place}").format(place=branch.place.name),
        _all(branch.children),
        _more(branch) if branch.hidden else "",
    )


def _more(branch: Branch) -> SafeString:
    return format_html(
        '<li class="leaf"><a href="{}">{}<span class="visually-hidden"> {}</span></a></li>',
        address(branch.place, "below"),
        ngettext("{number} more", "{number} more", branch.hidden).format(number=branch.hidden),
        _("below {place}").format(place=branch.place.name),
    )

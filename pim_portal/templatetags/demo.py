"""What the demo adds to other pages: its people beside the sign-in form, and a bar on every page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from pim_portal.demo import doors
from pim_portal.demo.codes import device_of, next_code
from pim_portal.demo.loader import PASSWORD
from roles.models import User

register = template.Library()


@register.inclusion_tag("demo/people.html", takes_context=True)
def demo_people(context: Context, wanted: str = "/") -> dict[str, Any]:
    """Show the sample people with their codes, each with the way in; `wanted` is where to go on to."""
    first, others = doors.people()
    request = context["request"]
    return {"first": first, "others": others, "password": PASSWORD, "next": wanted, "request": request} | _csrf(context)


@register.inclusion_tag("demo/bar.html", takes_context=True)
def demo_bar(context: Context) -> dict[str, Any]:
    """Show who one is, the code that their phone would show now, and the ways to the mailbox and to somebody else."""
    user = getattr(context.get("request"), "user", None)
    device = device_of(user) if isinstance(user, User) else None
    return {"person": user if isinstance(user, User) else None, "code": next_code(device) if device else ""}


def _csrf(context: Context) -> dict[str, Any]:
    return {"csrf_token": context["csrf_token"]} if "csrf_token" in context else {}

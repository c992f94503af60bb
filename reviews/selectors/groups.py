"""What a group that reviews gives those who join it: a say about what others keep."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from reviews.models import AccessReview, Instance
from roles.models import Resource
from roles.selectors.groups import Carried


def reviewed_by(group_resource: Resource) -> Iterator[Carried]:
    """Yield the reviews in which a group reviews or stands in; whoever lets others in must be able to say who does."""
    rows = AccessReview.objects.filter(deleted_at=None, stages__principals__principal__group__resource=group_resource)
    # A series that is over has no instance any more that is planned or goes on.
    rows = rows.filter(Exists(Instance.objects.filter(review=OuterRef("pk"), completed_at=None)))
    for review in rows.select_related("resource").distinct().order_by("name", "pk"):
        yield Carried(_("reviewing {review}").format(review=review.name), review.resource)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = _("Access reviews")

    def ready(self) -> None:
        from reviews.selectors.groups import reviewed_by
        from roles.selectors.groups import ALSO

        if reviewed_by not in ALSO:
            ALSO.append(reviewed_by)

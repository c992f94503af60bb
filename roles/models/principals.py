"""Principals: people and groups. Whoever holds, approves, reviews or is told is one key to `Principal`."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any, ClassVar

from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Contains
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

USERNAME_SHAPE = RegexValidator(
    r"\A[^\s@/\\]+\Z",
    _("A user name has no spaces, slashes or @ (sign-in takes a user name or an e-mail address)."),
)


def search_key(text: str) -> str:
    """Return the form of `text` that is compared and searched: SQLite ignores case for ASCII only."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


MAX_KEY = 300  # characters of what people are told apart by: one letter of theirs may become many
LONGEST_KEY = 250  # of them that may be given to somebody; what counts wrong passwords by it keeps 255
MAX_NAME_KEY = 400

# Words are split at white space, so that none reaches from one part of a text that is searched into the next.
BETWEEN_NAMES = "\n"
BEFORE_ADDRESS = "\n\n"
MAX_SEARCH_TEXT = MAX_NAME_KEY + MAX_KEY + MAX_KEY + len(BETWEEN_NAMES + BEFORE_ADDRESS)

# The columns that follow from each of these.
FOLLOWING = {
    "name": {"name_key", "search_text"},
    "username": {"username_key", "search_text"},
    "email": {"email_key", "search_text"},
}


def search_text_of(*names: str, address: str = "") -> str:
    """Return the one text in which somebody of these folded names, and of this address, is searched for."""
    return BETWEEN_NAMES.join(names) + BEFORE_ADDRESS + address


class InNames(Contains):
    """Whether a word stands in one of the names: before the border behind which the address is.

    For lists that show no addresses to their viewer, who would otherwise learn one by searching for it.
    """

    param_pattern = f"%%%s%%{BEFORE_ADDRESS}%%"


class PrincipalKind(models.TextChoices):
    USER = "user", _("User")
    GROUP = "group", _("Group")


class Principal(models.Model):
    """A user or a group."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=PrincipalKind.choices, editable=False)
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=MAX_NAME_KEY, editable=False, db_index=True)
    search_text = models.CharField(max_length=MAX_SEARCH_TEXT, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("principal")
        verbose_name_plural = _("principals")
        ordering = ["name_key", "id"]
        # Groups in the order of their names, among fifty times as many people.
        indexes = [models.Index(fields=["kind", "name_key", "id"], name="principal_of_kind_by_name")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = search_key(self.name)[:MAX_NAME_KEY]
        self.search_text = self._text_to_search()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = set(fields).union(*(FOLLOWING.get(name, ()) for name in fields))
        super().save(*args, **kwargs)

    def _text_to_search(self) -> str:
        # Somebody who is at hand as a principal only has a user name and an address all the same.
        person = User.objects.filter(pk=self.pk).first() if self.kind == PrincipalKind.USER else None
        if person is None:
            return search_text_of(self.name_key)
        return search_text_of(self.name_key, person.username_key, address=person.email_key)


# Under a name of its own: as a condition it is `contains`, of all but the address.
Principal._meta.get_field("search_text").register_lookup(InNames, "in_names")


class UserManager(BaseUserManager["User"]):
    """Finds a user by what they type at sign-in; people are made by services, not here."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user of this user name or e-mail address; raises `User.DoesNotExist`."""
        key = search_key(username or "")
        field = "email_key" if "@" in key else "username_key"
        if not key:
            raise User.DoesNotExist("Nobody is called nothing.")
        return self.get(**{field: key})


class Theme(models.TextChoices):
    SYSTEM = "system", _("Like the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(Principal, AbstractBaseUser):  # type: ignore[django-manager-missing]  # of django-otp's untyped devices
    """A person who signs in.

    There is no superuser switch and no staff flag: both would bypass the rules. What Django asks of them is answered
    from the roles held now (`roles.backend`).
    """

    username = models.CharField(_("user name"), max_length=150, unique=True, validators=[USERNAME_SHAPE])
    username_key = models.CharField(max_length=MAX_KEY, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)
    email_key = models.CharField(max_length=MAX_KEY, blank=True, editable=False)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    department = models.CharField(_("department"), max_length=120, blank=True)
    manager = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reports")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    theme = models.CharField(_("theme"), max_length=10, choices=Theme.choices, default=Theme.SYSTEM)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name_key", "id"]
        indexes = [models.Index(fields=["department"], name="user_of_department")]
        constraints = [
            models.UniqueConstraint(
                Lower("email_key"), condition=~models.Q(email_key=""), name="one_user_per_email_address"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = PrincipalKind.USER
        self.username_key = search_key(self.username)
        self.email_key = search_key(self.email)
        super().save(*args, **kwargs)

    def _text_to_search(self) -> str:
        return search_text_of(self.name_key, self.username_key, address=self.email_key)

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip()

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether this person may sign in; Django's word for *enabled*."""
        return self.enabled

    @property
    def is_superuser(self) -> bool:
        """Nobody is: every right comes from a role held now."""
        return False

    @property
    def is_staff(self) -> bool:
        """Django admin opens by `PortalAdminSite.has_permission`, never by a flag."""
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask the backends; `roles.backend` answers from the roles held now."""
        return any(backend.has_perm(self, perm, obj) for backend in get_backends() if hasattr(backend, "has_perm"))

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        backends = [backend for backend in get_backends() if hasattr(backend, "has_module_perms")]
        return any(backend.has_module_perms(self, app_label) for backend in backends)

    def check_password(self, raw_password: str | None) -> bool:
        """Say whether this is the password. Unlike Django's own it stores nothing: every change has its event."""
        return check_password(raw_password, self.password)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class Group(Principal):
    """A group of people. Being a member is an assignment of *Member* at the group's own resource node."""

    description = models.CharField(_("description"), max_length=500, blank=True)
    resource = models.OneToOneField("roles.Resource", models.PROTECT, related_name="group")

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name_key", "id"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = PrincipalKind.GROUP
        super().save(*args, **kwargs)

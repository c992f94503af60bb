"""The permission backend: Django's `has_perm` answers from the roles held now.

`has_perm(p)` asks at the directory root only, `has_perm(p, obj)` at or above the object's resource. Nothing is cached
on the user object: what it said a moment ago may be over.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.utils import timezone

from roles.authority import Authority
from roles.catalogue import DJANGO_PERMISSIONS, Permission, permission_named
from roles.models import Resource, User


def resource_of(obj: object) -> Resource | None:
    """Return the resource that an object belongs to; raises `TypeError` for one that has none."""
    if isinstance(obj, Resource):
        return obj
    resource = getattr(obj, "resource", None)
    if isinstance(resource, Resource):
        return resource
    raise TypeError(f"{type(obj).__name__} belongs to no resource; ask for the permission without an object.")


class HeldRolesBackend(BaseBackend):
    """Grants permissions only; nobody signs in through it."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        permission = permission_named(perm)
        # Django asks for anonymous and disabled people, too.
        if permission is None or not isinstance(user_obj, User) or not user_obj.enabled:
            return False
        resource = None if obj is None else resource_of(obj)
        return Authority(user_obj, timezone.now()).allows(permission, resource)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.enabled:
            return set()
        authority = Authority(user_obj, timezone.now())
        resource = None if obj is None else resource_of(obj)
        held = {permission for permission in Permission if authority.allows(permission, resource)}
        return {permission.value for permission in held} | {
            name for name, permission in DJANGO_PERMISSIONS.items() if permission in held
        }

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions(user_obj))

    def with_perm(self, perm: str, is_active: bool = True, include_superusers: bool = False, obj: Any = None) -> Any:
        """Return the people who have this permission now (there are no superusers to include)."""
        now = timezone.now()
        permission = permission_named(perm)
        if permission is None:
            return User.objects.none()
        resource = None if obj is None else resource_of(obj)
        people = User.objects.filter(enabled=True).order_by("pk")
        allowed = [user.pk for user in people if Authority(user, now).allows(permission, resource)]
        return User.objects.filter(pk__in=allowed)

"""The ids of the built-in roles that the portal itself gives a meaning to (their template ids in the field)."""

from typing import Final
from uuid import UUID

GLOBAL_ADMINISTRATOR: Final = UUID("62e90394-69f5-4237-9190-012177145e10")
PRIVILEGED_ROLE_ADMINISTRATOR: Final = UUID("e8611ab8-c189-46e8-94e1-60213ab1f814")
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: Final = UUID("7be44c8a-adaf-4e2a-84d6-ab2649e08a13")
SECURITY_ADMINISTRATOR: Final = UUID("194ae4cb-b126-40b2-bd5b-6091b380977d")
SECURITY_READER: Final = UUID("5d6b6bb7-de71-4623-b4af-96380a352509")
GLOBAL_READER: Final = UUID("f2ef992c-3afb-46b9-b7cf-a126ee74c451")
USER_ADMINISTRATOR: Final = UUID("fe930be7-5e62-47db-91af-98c3a49a38b1")
GROUPS_ADMINISTRATOR: Final = UUID("fdd7a751-b60b-444a-984c-02652fe8fa1c")

OWNER: Final = UUID("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
USER_ACCESS_ADMINISTRATOR: Final = UUID("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9")
READER: Final = UUID("acdd72a7-3385-48ef-bd42-f606fba81ae7")

# The roles of every group's own node; these two are ours.
GROUP_MEMBER: Final = UUID("6d9f4c6e-0001-4a3e-9a0b-5d1f2c3b4a01")
GROUP_OWNER: Final = UUID("6d9f4c6e-0002-4a3e-9a0b-5d1f2c3b4a02")

# The one directory root.
DIRECTORY: Final = UUID("6d9f4c6e-0003-4a3e-9a0b-5d1f2c3b4a03")

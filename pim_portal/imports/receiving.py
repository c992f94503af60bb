"""Taking a file from a browser: on the page that asks for it, from somebody signed in, no larger than allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler

from pim_portal.imports.services.uploads import MOST_BYTES

if TYPE_CHECKING:
    from django.http import HttpRequest

TAKES_FILES = frozenset({"imports"})  # names of pages


class BoundedFile(TemporaryFileUploadHandler):
    """Keeps a file on disk while it comes in; what is too much or not asked for is read past and never kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0
        request = cast("HttpRequest", self.request)
        match, user = request.resolver_match, cast("Any", request.user)
        if match is None or match.url_name not in TAKES_FILES or not (user.is_authenticated and user.is_verified()):
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size > MOST_BYTES:
            self.request.file_too_large = True  # type: ignore[union-attr]
            raise SkipFile
        super().receive_data_chunk(raw_data, start)

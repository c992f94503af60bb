import logging
import re

from pim_portal.logs import Formatter


def test_an_entry_is_one_line_in_utc() -> None:
    record = logging.LogRecord("portal", logging.WARNING, "", 0, "Not found: %s", ("/a\n2026 forged",), None)
    record.created = 0

    line = Formatter("%(asctime)s %(message)s").format(record)

    assert re.fullmatch(r"1970-01-01T00:00:00\.\d{3}Z Not found: /a\\n2026 forged", line)

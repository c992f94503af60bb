"""The settings of production, with answers that tell how they came about: for the pass that counts, never timed."""

from pim_portal.settings import *  # noqa: F403
from pim_portal.settings import MIDDLEWARE

MIDDLEWARE = ["tests.bench.counting.CountingMiddleware", *MIDDLEWARE]

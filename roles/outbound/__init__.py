"""The way out: requests that the portal itself sends to addresses which somebody set (ticket systems, web hooks)."""

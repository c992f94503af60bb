"""Everything of one world as files that can be brought in again."""

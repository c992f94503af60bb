"""The rules of roles: a rule takes facts and answers a violation, or nothing."""

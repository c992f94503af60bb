"""The seals of the history: their key, who else is told of them, and where what was sealed is kept in the end."""

from pathlib import Path

from pim_portal.environment.values import Values


class Seals(Values):
    """Where the key, the archives and the anchors are."""

    def audit_key(self, data_dir: Path) -> Path:
        named = self.text("PIM_AUDIT_KEY")
        return Path(named).expanduser().resolve() if named else data_dir / "audit-key.pem"

    def audit_archives(self, data_dir: Path) -> Path:
        named = self.text("PIM_AUDIT_ARCHIVES")
        return Path(named).expanduser().resolve() if named else data_dir / "archives"

    def audit_anchors(self) -> list[str]:
        names = self.names("PIM_AUDIT_ANCHORS")
        for name in names:
            file, path = name.startswith("file:"), name.removeprefix("file:")
            if not (Path(path).is_absolute() if file else all(part.isidentifier() for part in name.split("."))):
                self.mistakes.append(
                    f"PIM_AUDIT_ANCHORS names {name}: write file:/path/to/a/file, or the dotted path of a function."
                )
        return names

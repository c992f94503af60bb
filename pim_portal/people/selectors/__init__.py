"""What the pages of people and groups ask; nothing here shows a world that the viewer may not see."""

"""Programs that show what durability is worth."""

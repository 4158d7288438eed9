"""IBM hardware behind the seam; nothing outside this room knows IBM's classes."""

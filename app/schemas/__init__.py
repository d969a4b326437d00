"""What may enter and what leaves; also the bodies of sync operations."""

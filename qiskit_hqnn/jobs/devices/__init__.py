"""What a device is, and circuits as it takes them."""

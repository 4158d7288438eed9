"""The published rows, run again with controls, and the page that holds them."""

"""The protocol that sends a recorded job once and reads its outcomes."""

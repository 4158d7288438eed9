"""The passes traced in real arithmetic for torch's compiler."""

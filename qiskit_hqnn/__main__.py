"""`python -m qiskit_hqnn` is the command `hqnn`, for a Python whose scripts are not on the path."""

from qiskit_hqnn.cli.app import main

if __name__ == "__main__":
    main()

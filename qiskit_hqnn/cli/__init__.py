"""The command `hqnn`: one file for each subcommand, thin, heavy imports inside the command."""

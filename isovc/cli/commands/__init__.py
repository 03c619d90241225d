"""One module a command, named as it is typed. Imported only when its command is typed."""

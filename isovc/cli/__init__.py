"""The command line: parse, call, render. The only room that reads the environment or writes to the terminal."""

"""Version control for ordinary databases."""

__version__ = "0.1.0"

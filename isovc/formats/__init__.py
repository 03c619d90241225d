"""What differs between two databases, for people and other tools: text, jsonl, csv, html, SQL; and patches read back.

Knows the model only: rows and changes as plain values. Knows nothing of versions, files of databases or terminals.
"""

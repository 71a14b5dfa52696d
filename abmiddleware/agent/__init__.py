"""The side process that ships the journal, refreshes configuration, and compacts old files.

Web workers never import this room: what it needs is large.
"""

"""Turns closed days of the journal into Parquet files.

Each file of the journal is turned by itself, into files whose names it decides. So a repetition
replaces them, and a crash at any moment costs nothing but the repetition.
"""

"""What users hold: frozen values with the specification's names. No protobuf, no I/O.

Everything above stands on this room; below are only the options and errors.
"""

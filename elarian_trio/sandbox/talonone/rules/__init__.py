"""The rules of the stand-in for Talon.One, without I/O.

A request, what there is, the time and the dice go in; an answer and what has changed come out.
"""

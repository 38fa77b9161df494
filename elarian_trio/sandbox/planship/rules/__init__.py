"""The rules of the stand-in for Planship, without I/O.

A request, what there is, the time and the dice go in; an answer, what has changed and whom that concerns come out.
"""

"""What an Elarian server does, as rules without I/O, without a clock and without dice of their own.

The sandbox's server stands above: it loads entities, hands a :class:`~.work.Work` to a rule of :mod:`.rules`, stores
what the rule changed and carries out its effects. Below are the models, and nothing else.
"""

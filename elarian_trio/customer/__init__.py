"""A customer: the commands that concern one, bound to its address.

The client stands above and hands a customer its ``call``; models are below.
"""

from __future__ import annotations

from elarian_trio.customer.addresses import Call, as_number, is_id
from elarian_trio.customer.customer import Customer

__all__ = ["Call", "Customer", "as_number", "is_id"]

"""Models to bytes and back: the only room that knows protobuf.

Above: the client's block, the sockets and the sandbox. Below: ``elarian_trio.models``.
"""

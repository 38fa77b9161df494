"""Protobuf code compiled from ``schema/`` by ``nox -s schema -- --write``; never edited by hand.

Only the room ``elarian_trio._wire`` imports it: ``from elarian_trio._wire._pb import app_socket_pb2``. The package on the
wire's side is called ``elarian_trio.wire``, so that other SDKs of the same service can be loaded into the same process.
"""

"""Tokens: what replaces an API key for a while, for any app of the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.commands import GenerateAuthToken
from elarian_trio.models.identity import AuthToken
from elarian_trio.sandbox.world.effects import TokenExpires
from elarian_trio.sandbox.world.entities import TokenKey, TokenRecord, token_digest

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def generate(work: Work, command: GenerateAuthToken) -> AuthToken:
    """Make a token; it is shown this once, and known by its digest from then on."""
    del command
    token = f"el_tkn_{work.dice.secret(64)}"
    lifetime = work.settings.token_lifetime
    record = TokenRecord(org_id=work.org_id, digest=token_digest(token), expires_at=work.now + lifetime)
    work.put(record)
    work.schedule(record.expires_at, TokenExpires(org_id=work.org_id, digest=record.digest))
    return AuthToken(token=token, lifetime=lifetime)


def expire(work: Work, job: TokenExpires) -> None:
    """Forget a token that lets nobody in any more."""
    work.delete(TokenKey(job.org_id, job.digest))


RULES: Rules = {GenerateAuthToken: generate}
JOBS: JobRules = {TokenExpires: expire}

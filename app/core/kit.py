"""What a running program is made of: its settings, keys, clock and database, in one place."""

from dataclasses import dataclass

from app.core.clock import Clock
from app.core.database import Database
from app.core.keys import KeyRing
from app.core.settings import Settings
from app.core.tokens import AccessClaims, TokenVerifier, issue
from app.core.vault import Vault


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts that requests share."""

    settings: Settings
    database: Database
    ring: KeyRing
    vault: Vault
    verifier: TokenVerifier
    clock: Clock

    def issue_token(self, claims: AccessClaims) -> str:
        """Return an access token that this program's verifier accepts."""
        return issue(self.ring, claims, issuer=self.settings.issuer, audience=self.settings.issuer)

"""What a running program is made of: its settings, keys, clock and database, in one place."""

from dataclasses import dataclass

from app.core.bell import Bell
from app.core.blobs import BlobStore, open_place
from app.core.clock import Clock
from app.core.database import APP_ROLE, Database
from app.core.keys import KeyRing
from app.core.pictures import Decoders
from app.core.rates import Rates
from app.core.settings import Settings
from app.core.sheets import Sheets
from app.core.together import Together
from app.core.tokens import AccessClaims, TokenVerifier, issue
from app.core.turnstile import Turnstile
from app.core.vault import Vault
from app.core.watch import Watch

LOOKS_AT_A_TIME = 2
"""How many connections the readers of live streams take at most, however many they are."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts that requests share."""

    settings: Settings
    database: Database
    ring: KeyRing
    vault: Vault
    verifier: TokenVerifier
    clock: Clock
    bell: Bell
    watch: Watch
    together: Together
    photos: BlobStore
    decoders: Decoders
    public_decoders: Decoders
    """For photos of strangers, so that those of staff wait for none of them."""
    sheets: Sheets
    rates: Rates
    turnstile: Turnstile

    def issue_token(self, claims: AccessClaims) -> str:
        """Return an access token that this program's verifier accepts."""
        return issue(self.ring, claims, issuer=self.settings.issuer, audience=self.settings.issuer)


def make_kit(settings: Settings, clock: Clock) -> Kit:
    """Put the parts of a running program together.

    Raises:
        SystemExit: no database is named.
        KeyRingError: the key ring is missing, readable by others, or weak.
    """
    url = settings.app_database_url or settings.database_url
    if url is None:
        raise SystemExit(
            "DATABASE_URL is not set; `wangge serve` and `wangge demo` start the embedded database."
        )
    role = None if settings.app_database_url else APP_ROLE
    database = Database(url, pool_size=settings.pool_size, pool_timeout=settings.pool_timeout, role=role)
    ring = KeyRing.load(settings.key_file)
    verifier = TokenVerifier(ring.public_keys(), settings.issuer, settings.issuer)
    bell = Bell(Database(url, pool_size=1, pool_timeout=settings.pool_timeout, role=role))
    watch = Watch(database, bell)
    photos = open_place(settings.photos, settings.data / "photos")
    together = Together(LOOKS_AT_A_TIME)
    return Kit(
        settings,
        database,
        ring,
        Vault(ring),
        verifier,
        clock,
        bell,
        watch,
        together,
        photos,
        Decoders(),
        Decoders(at_once=1),
        Sheets(),
        Rates(),
        Turnstile(),
    )

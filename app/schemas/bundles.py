"""The offline bundle of a checkpoint (contract, section 10). docs/checkpoint.md says how a phone uses it."""

from typing import Annotated, Any

from pydantic import Field

from app.domain.enums import CheckpointKind, Purpose
from app.schemas.checkpoints import RulesView
from app.schemas.fields import Code, Id, Instant, View
from app.schemas.townships import unset

Hex16 = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="64 bits.")]
Base64Url = Annotated[str, Field(pattern="^[A-Za-z0-9_-]*$")]
Jwk = Annotated[dict[str, Any], Field(description="A public P-256 key for ES256 (RFC 7517).")]


class BundleGateView(View):
    """The checkpoint for which the bundle is."""

    id: Id
    number: int = Field(description="By which passes name it.")
    unit_code: Code
    kind: CheckpointKind
    timezone: str


class Scrypt(View):
    """The parameters of the slow hash (RFC 7914)."""

    n: int
    r: int
    p: int


class Hashing(View):
    """How an ID number is hashed slowly: scrypt of its 18 characters, to 8 bytes."""

    salt: Base64Url
    scrypt: Scrypt


class PassKeyView(View):
    """A key that signs passes, known before it signs."""

    number: int
    ends_at: Instant
    jwk: Jwk


class HolderView(View):
    """What the holder of a pass is here."""

    resident: bool = Field(description="No outsider at this checkpoint.")
    staff: bool = Field(description="On the staff, and fit.")
    purposes: list[Purpose] | None = Field(description="For which alone the pass is good; null: for all.")


class OtherHolderView(HolderView):
    """A pass whose holder is not as most are."""

    number: Hex16


class HoldersView(View):
    """What the holders of good passes are here."""

    default: HolderView
    others: list[OtherHolderView]


class ExactSetView(View):
    """A set of people: the first 64 bits of HMAC-SHA256(key, slow hash) of each."""

    key: Base64Url
    hashes: list[Hex16]
    missing: int = Field(description="How many more there are, whose numbers have not been hashed yet.")


class CodedView(View):
    """A set of 64-bit numbers, coded (docs/checkpoint.md)."""

    rice: int
    size: int
    code: Base64Url


class CodedSetView(CodedView):
    """A coded set of people."""

    key: Base64Url


class SinceView(View):
    """Who came to the coded set of residents since it was made, and who left it."""

    added: list[Hex16]
    removed: list[Hex16]
    missing: int = Field(description="How many more there are, whose numbers have not been hashed yet.")


class BundleView(View):
    """A signed bundle. With `have`, the sections that have not changed since then are left out."""

    bundle_no: int = Field(
        description="Rises with every bundle of the checkpoint; an older one is never taken."
    )
    issued: Instant
    next_due: Instant = Field(description="A phone with signal fetches the next one by then.")
    amber_from: Instant = Field(description="From then on ID cards are looked at by hand.")
    hard_expiry: Instant = Field(description="From then on the phone lets nobody pass by itself.")
    checkpoint: BundleGateView
    sections: dict[str, str] = Field(description="The SHA-256 of each section as canonical JSON (RFC 8785).")
    head: str = Field(description="The members above, signed by the root key: a compact JWS.")
    root: Jwk
    rules: RulesView = unset()
    hashing: Hashing = unset()
    keys: list[PassKeyView] = unset()
    revoked: list[Hex16] = unset()
    used: list[tuple[str, CodedView]] = unset()
    holders: HoldersView = unset()
    quarantined: ExactSetView = unset()
    staff: ExactSetView = unset()
    residents: CodedSetView = unset()
    residents_since: SinceView = unset()

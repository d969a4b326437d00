"""What the offline bundles of gates are made of: slow hashes of ID numbers, and what each gate was given last."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger
from sqlmodel import Field, SQLModel

from app.models.base import TownshipData, sealed, time_field


class GateSalt(SQLModel, table=True):
    """A township's salt of one week, under which ID numbers are hashed slowly. It names no person."""

    __tablename__ = "gate_salts"
    __table_args__ = (Index("ix_gate_salts_township", "township_code", "made_at"),)

    id: UUID = Field(primary_key=True)
    township_code: int = Field(sa_type=BigInteger)
    made_at: datetime = time_field()
    log2_n: int = Field(sa_type=SmallInteger)
    salt_sealed: bytes | None = sealed()
    ready_at: datetime | None = time_field(default=None)
    """When everybody's number was hashed under it for the first time: from then on bundles use it."""


class GateDigest(TownshipData, table=True):
    """The slow hash of one ID number. Its unit is the township as a whole, so that no village's lane holds it."""

    __tablename__ = "gate_digests"

    salt_id: UUID = Field(primary_key=True)
    id_fingerprint: bytes = Field(sa_type=LargeBinary, primary_key=True)
    digest: int = Field(sa_type=BigInteger)
    """64 bits, as a signed number."""


class GateBundle(TownshipData, table=True):
    """The last bundle of a checkpoint, and who stands in the coded set of residents that it refers to."""

    __tablename__ = "gate_bundles"

    checkpoint_id: UUID = Field(primary_key=True)
    bundle_no: int
    issued_at: datetime = time_field()
    people_mark: str | None = None
    """Tells the residents of then from those of now, cheaply."""
    base_mark: str | None = None
    """Under which salt and for which people the coded set was made."""
    base: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The members of the coded set: hashes of 8 bytes each."""


class BundleSection(TownshipData, table=True):
    """A section of a checkpoint's bundle as it was given last, and since which bundle it has not changed."""

    __tablename__ = "bundle_sections"

    checkpoint_id: UUID = Field(primary_key=True)
    name: str = Field(primary_key=True)
    since_no: int
    sha256: bytes = Field(sa_type=LargeBinary)
    content: str

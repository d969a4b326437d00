"""Sheets that come in (导入), and the file of those rows that did not."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.access import allow_steps
from app.core.problems import BadRequest, UnsupportedMedia
from app.core.representations import CSV, JSON, choose
from app.core.strict_route import SheetRoute
from app.core.work import OpenWork
from app.domain.permissions import Permission
from app.schemas.fields import UnitCode
from app.schemas.imports import ImportKind, ImportView
from app.services.imports.importing import import_sheet
from app.services.imports.result import import_view, rejects_csv
from app.services.imports.template import template_csv

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=SheetRoute)

Importer = Annotated[OpenWork, allow_steps(Permission.IMPORTS)]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORM = "multipart/form-data"
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": _FILE},
            XLSX: {"schema": _FILE},
            _FORM: {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}},
        },
    }
}
_BOTH: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ImportView,
        "content": {CSV: {"schema": {"type": "string"}}},
        "description": "What became of the sheet; as CSV: the rejected rows.",
    },
    406: {"description": "Neither JSON nor CSV is accepted."},
}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


@router.post("/{kind}", response_model=ImportView, responses=_BOTH, openapi_extra=_BODY)
async def import_file(
    open_work: Importer,
    request: Request,
    kind: ImportKind,
    unit_code: Annotated[UnitCode | None, Query(description="The unit of rows that name none.")] = None,
) -> Response | ImportView:
    """Load a CSV or XLSX file, at most 32 MiB: the file itself, or a form with one file.

    Good rows are stored; the others come back with the row's number and the reasons. The same file again changes
    nothing. With `Accept: text/csv` the answer is the file of the rejected rows: the columns as they came, 行号 (row)
    and 原因 (reason in Chinese). A 422 `sheet-unreadable` means that nothing was loaded.
    """
    media = choose(request.headers, (JSON, CSV))
    data = await _file(request)
    done = await import_sheet(open_work, kind, data, int(unit_code) if unit_code else None)
    if media == CSV:
        return _download(rejects_csv(done), f"{kind}-rejects.csv")
    return import_view(done, request.scope["state"]["language"])


@router.get("/{kind}/template", response_class=Response, responses=_CSV)
async def show_template(_: Importer, kind: ImportKind) -> Response:
    """An empty sheet with the headers that are read, as CSV; its example row is to be overwritten."""
    return _download(template_csv(kind), f"{kind}-template.csv")


async def _file(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in (CSV, XLSX):
        return await request.body()
    if media != _FORM:
        raise UnsupportedMedia
    async with request.form(max_files=1, max_fields=10) as form:
        files = [part for part in form.values() if isinstance(part, UploadFile)]
        if len(files) != 1:
            raise BadRequest
        return await files[0].read()


def _download(body: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"}
    return Response(body, media_type=CSV, headers=headers)

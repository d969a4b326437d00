"""An empty sheet to fill in: the headers that are read, and one row that shows how (and is refused, if left there)."""

import csv
import io

from app.schemas.imports import ImportKind
from app.services.imports.columns import COLUMNS

_EXAMPLE: dict[ImportKind, dict[str, str]] = {
    ImportKind.HOUSEHOLDS: {
        "register_no": "001",
        "unit": "示例村",
        "address": "示例村一组1号",
        "name": "示例",
        "relation": "户主",
        "id_number": "'11010119900307123X",
        "phone": "13900000000",
    },
    ImportKind.STAFF: {
        "name": "示例",
        "username": "shili-1",
        "phone": "13900000000",
        "role": "村社干部",
        "unit": "示例村",
        "team": "入户组",
        "position": "村社干部",
        "health": "健康",
    },
    ImportKind.UNITS: {"unit_code": "'100000000001", "name": "示例村村民委员会", "kind": "村"},
    ImportKind.VENUES: {"name": "示例超市", "unit": "示例村", "kind": "商铺", "essential": "是"},
    ImportKind.SHIFTS: {
        "unit": "示例村",
        "day": "2020-2-3",
        "kind": "夜班",
        "group": "A",
        "starts": "22:00",
        "ends": "6:00",
        "people": "示例甲、示例乙",
    },
    ImportKind.PAIRINGS: {"unit": "示例村", "carer": "示例甲", "register_no": "001", "head": "示例"},
}


def template_csv(kind: ImportKind) -> bytes:
    """Return the template as CSV in UTF-8 with BOM."""
    columns = COLUMNS[kind]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([column.label for column in columns])
    writer.writerow([_EXAMPLE[kind].get(column.name, "") for column in columns])
    return buffer.getvalue().encode("utf-8-sig")

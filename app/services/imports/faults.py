"""What can be wrong with a sheet or with one of its rows, in words for the office that keeps it."""

from collections.abc import Iterable
from typing import NamedTuple

from app.core.field_texts import FIELD_TEXTS, declare
from app.core.language import Text
from app.core.problems import CATALOGUE, FieldError, Problem


class SheetUnreadable(Problem):
    """A file that is no sheet of this kind: nothing of it was loaded."""

    status = 422
    code = "sheet-unreadable"
    title = Text("表格无法读取", "The sheet cannot be read")
    detail_text = Text("表格未导入任何内容,原因见 errors。", "Nothing was loaded; errors say why.")

    def __init__(self, code: str, column: str = "") -> None:
        super().__init__([FieldError(f"/{column}" if column else "", code, FIELD_TEXTS[code])])


class Fault(NamedTuple):
    """What is wrong with one row: the column by its English name ("" for the row as a whole), and a stable slug."""

    column: str
    code: str

    @property
    def words(self) -> Text:
        """The reason for a person; the cell itself is never repeated."""
        return FIELD_TEXTS[self.code] if self.code in FIELD_TEXTS else CATALOGUE[self.code].title


class BadCell(ValueError):
    """A cell that cannot be read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Faults = dict[int, list[Fault]]
"""The faults of each bad row, by the number that the spreadsheet shows beside it."""


def blame(faults: Faults, rows: Iterable[int], column: str, code: str) -> None:
    """Note one fault of several rows."""
    for number in rows:
        faults.setdefault(number, []).append(Fault(column, code))


# The file as a whole.
SHEET_EMPTY = declare("sheet-empty", "文件为空,或没有数据行。", "The file is empty, or has no rows of data.")
SHEET_FORMAT = declare(
    "sheet-format", "不是可读取的 CSV 或 XLSX 文件。", "This is no CSV or XLSX file that can be read."
)
SHEET_XLS = declare(
    "sheet-xls",
    "旧版 .xls 或加密文件,请另存为不加密的 .xlsx 或 CSV。",
    "An old .xls, or an encrypted file; save it as .xlsx or CSV without a password.",
)
SHEET_ENCODING = declare(
    "sheet-encoding",
    "文字编码无法识别,请用 UTF-8 或 GB18030 保存。",
    "The text is in no known encoding; save it as UTF-8 or GB18030.",
)
SHEET_QUOTES = declare(
    "sheet-quotes",
    "CSV 引号不成对,无法分列。",
    "A quotation mark of the CSV is not closed, or stands astray.",
)
SHEET_TOO_LONG = declare(
    "sheet-too-long", "表格过大,请按村(社区)拆分后导入。", "The sheet is too large; split it by unit."
)
SHEET_UNSAFE = declare(
    "sheet-unsafe",
    "文件含有表格不应包含的内容,已拒绝。",
    "The file holds what no spreadsheet program writes; it was refused.",
)
SHEET_HEADER = declare("sheet-header", "找不到表头行。", "No row of headers was found.")
SHEET_SEVERAL = declare(
    "sheet-several",
    "有多个工作表含有表头,请分别保存后逐个导入。",
    "Several worksheets have headers; save and import them one by one.",
)
COLUMN_MISSING = declare("column-missing", "表头缺少此列。", "The headers lack this column.")

# One cell.
DIGITS_LOST = declare(
    "digits-lost",
    "数字已被表格软件改成科学计数,末尾数字丢失,请将该列设为文本后重新填写。",
    "The spreadsheet turned this into a rounded number and its last digits are lost; format it as text, fill it anew.",
)
CELL_ERROR = declare(
    "cell-error", "单元格是公式错误(如 #N/A)。", "The cell holds a formula's error, such as #N/A."
)
DATE_FORMAT = declare(
    "date-format", "日期应为年月日,如 1980-1-2。", "Give year, month and day, such as 1980-1-2."
)
TIME_FORMAT = declare("time-format", "时间应为时分,如 22:00。", "Give hours and minutes, such as 22:00.")
WORD_UNKNOWN = declare(
    "word-unknown", "填写的内容不在可识别的词语之内。", "This is none of the words that are known here."
)

# The unit.
UNIT_UNKNOWN = declare(
    "unit-unknown", "本乡镇没有此村(社区)。", "The township has no such village or community."
)
UNIT_AMBIGUOUS = declare(
    "unit-ambiguous",
    "此名称对应多个村(社区),请填12位区划代码。",
    "Several units have this name; give the 12-digit code.",
)
UNIT_CONTRADICTS = declare(
    "unit-contradicts", "区划代码与村(社区)名称不一致。", "The code and the name are two different units."
)
UNIT_OUTSIDE = declare(
    "unit-outside",
    "不是本乡镇的12位村(社区)代码。",
    "This is no 12-digit code of a unit of the township.",
)

# The row beside its neighbours, and beside the register.
REPEATED_ROW = declare(
    "repeated-row", "与本表前面的行重复。", "An earlier row of the sheet says the same already."
)
HEAD_TAKEN = declare("head-taken", "本户已有另一位户主。", "The household has another head already.")
HEAD_MISSING = declare(
    "head-missing",
    "本户没有标明户主的行,未导入。",
    "No row says who is the household's head; it was not loaded.",
)
HEAD_REJECTED = declare(
    "head-rejected",
    "本户户主行有误,改正户主行后再导入本户。",
    "The row of the household's head is bad; correct that row and import the household again.",
)
REGISTERED_ELSEWHERE = declare(
    "registered-elsewhere",
    "该身份证号码已登记在其他户。",
    "This ID number is registered in another household.",
)
NUMBER_NOT_REGISTERED = declare(
    "number-not-registered",
    "本户已登记同名人员但没有身份证号码,请在系统中为其补录。",
    "The household has a person of this name without an ID number; add the number to that person.",
)
CHANGED_SINCE = declare(
    "changed-since",
    "已导入过,之后在系统中修改了资料,请直接在系统中修改。",
    "This was imported before and has been changed in the register since; edit it there.",
)
STAFF_NAMESAKE = declare(
    "staff-namesake",
    "本单位已有同名人员,请填写用户名以区分。",
    "The unit has staff of this name; give a user name to tell them apart.",
)
CHECKPOINT_UNKNOWN = declare("checkpoint-unknown", "没有此卡点。", "There is no such checkpoint.")
STAFF_UNKNOWN = declare(
    "staff-unknown",
    "本村(社区)和镇指挥部没有此在岗人员。",
    "Neither the unit nor the township's office has such active staff.",
)
PEOPLE_TOO_MANY = declare("people-too-many", "一个班次最多100人。", "A shift has at most 100 people.")
SHIFT_REJECTED = declare(
    "shift-rejected",
    "本班次另有一行有误,改正后整个班次一起导入。",
    "Another row of this shift is bad; correct it and import all rows of the shift again.",
)
HOUSEHOLD_UNKNOWN = declare(
    "household-unknown", "本村(社区)没有登记此户。", "The unit has no such household registered."
)
HOUSEHOLD_NAMESAKE = declare(
    "household-namesake",
    "本村(社区)有多户符合,请填写户号,或核对重复的户号。",
    "Several households of the unit fit; give the register number, or look for one that is double.",
)

"""The errors: one tree, one shape (RFC 9457).

    Problem
    ├── BadRequest 400            the request cannot be read
    ├── Unauthorized 401          no valid token
    ├── Forbidden 403             a role that may never do it
    ├── NotFound 404              not there, or not for this caller: the same bytes
    ├── MethodNotAllowed 405
    ├── NotAcceptable 406
    ├── Conflict 409              true of the data, not of the request
    │   └── IdReused, and those that services declare
    ├── TooLarge 413
    ├── UnsupportedMedia 415
    ├── Invalid 422               the payload breaks a rule
    ├── TooMany 429               with Retry-After
    ├── Broken 500                a bug
    └── Unavailable 503           with Retry-After

A service declares its own problems as subclasses beside the code that raises them; a subclass that names a database
constraint is raised wherever that constraint speaks. No problem repeats a value that was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from starlette.exceptions import HTTPException

from app.core.field_texts import FIELD_TEXTS
from app.core.language import Text


class FieldError(NamedTuple):
    """One bad field: where (a JSON pointer of declared names), what (a stable slug), and the words for a person."""

    pointer: str
    code: str
    message: Text


CATALOGUE: dict[str, type["Problem"]] = {}
BY_CONSTRAINT: dict[str, type["Problem"]] = {}


class Problem(HTTPException):
    """Anything that is answered as application/problem+json."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = ""
    title: ClassVar[Text]
    detail_text: ClassVar[Text]
    constraints: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        if "code" in cls.__dict__ and cls.code:
            if cls.code in CATALOGUE:
                raise TypeError(f"problem declared twice: {cls.code}")
            CATALOGUE[cls.code] = cls
        for constraint in cls.__dict__.get("constraints", ()):
            BY_CONSTRAINT[constraint] = cls

    def __init__(self, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, detail=self.code, headers=dict(headers or {}))
        self.errors = tuple(errors)

    def body(self, request_id: str, language: str) -> dict[str, Any]:
        """Return the problem as the JSON object that is answered."""
        answer: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title.say(language),
            "status": self.status,
            "detail": self.detail_text.say(language),
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            answer["errors"] = [
                {"pointer": e.pointer, "code": e.code, "message": e.message.say(language)}
                for e in self.errors
            ]
        return answer


class BadRequest(Problem):
    """The request cannot be read at all."""

    status = 400
    code = "bad-request"
    title = Text("请求无法读取", "The request cannot be read")
    detail_text = Text(
        "请求的路径、参数或正文不符合格式要求。", "The path, a parameter or the body is malformed."
    )


class Unauthorized(Problem):
    """No valid token or key."""

    status = 401
    code = "unauthorized"
    title = Text("请先登录", "Please log in")
    detail_text = Text(
        "缺少有效的登录凭证,或凭证已失效。", "A valid token or key is missing, or it is no longer valid."
    )

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """A role that may never do it."""

    status = 403
    code = "forbidden"
    title = Text("无权操作", "Not allowed")
    detail_text = Text("您的角色不能进行此项操作。", "Your role can never do this.")


class NotFound(Problem):
    """Not there, or not for this caller."""

    status = 404
    code = "not-found"
    title = Text("未找到", "Not found")
    detail_text = Text(
        "所指的内容不存在,或不在您的管辖范围内。",
        "What you named does not exist, or lies outside your scope.",
    )


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    code = "method-not-allowed"
    title = Text("不支持该方法", "Method not allowed")
    detail_text = Text("该地址不支持此请求方法。", "This address does not answer to this method.")


class NotAcceptable(Problem):
    """No representation that the Accept header allows."""

    status = 406
    code = "not-acceptable"
    title = Text("没有可用的格式", "Not acceptable")
    detail_text = Text("无法按要求的格式答复。", "There is no representation in a format that you accept.")


class Conflict(Problem):
    """The request is fine; the data stand against it."""

    status = 409
    code = "conflict"
    title = Text("与现有数据冲突", "Conflict")
    detail_text = Text("与已登记的数据冲突。", "This conflicts with what is already stored.")


class IdReused(Conflict):
    """An identifier that was used before, with other content or where the caller cannot see."""

    code = "id-reused"
    title = Text("编号已被使用", "Identifier already used")
    detail_text = Text(
        "该编号已用于其他内容,请换一个新编号。", "This id was used for other content; make a new one."
    )


class StaleRevision(Conflict):
    """An edit that was made from an older revision of the same field."""

    code = "stale-revision"
    title = Text("资料已被他人修改", "Changed meanwhile")
    detail_text = Text(
        "您修改的字段已被他人更新,请重新读取后再改。", "A field that you edit has changed; read it again."
    )


class TooLarge(Problem):
    """A body above the limit."""

    status = 413
    code = "too-large"
    title = Text("内容过大", "Too large")
    detail_text = Text("请求正文超过大小限制。", "The body is larger than this address accepts.")


class UnsupportedMedia(Problem):
    """A body in a format that this address does not read."""

    status = 415
    code = "unsupported-media-type"
    title = Text("不支持的内容类型", "Unsupported media type")
    detail_text = Text("请按文档要求的内容类型发送。", "Send the content type that the documentation names.")


class Invalid(Problem):
    """The payload breaks a rule; `errors` names the fields."""

    status = 422
    code = "invalid"
    title = Text("内容不符合要求", "Invalid content")
    detail_text = Text("部分字段不符合要求,请按提示修改。", "Some fields break a rule; see errors.")


class TooMany(Problem):
    """Too many tries; wait."""

    status = 429
    code = "too-many-requests"
    title = Text("请求过于频繁", "Too many requests")
    detail_text = Text("请稍候再试。", "Please wait and try again.")

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(max(1, retry_after))})


class Broken(Problem):
    """A bug: nothing was stored."""

    status = 500
    code = "internal-error"
    title = Text("系统内部错误", "Internal error")
    detail_text = Text("系统出错,数据未保存,请稍后重试。", "Something went wrong; nothing was stored.")


class Unavailable(Problem):
    """The database is away, busy, or the server is stopping; nothing is known to be stored."""

    status = 503
    code = "unavailable"
    title = Text("服务暂不可用", "Temporarily unavailable")
    detail_text = Text(
        "系统繁忙或正在恢复,请稍后用原编号重试。", "Busy or recovering; send the same again soon."
    )

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(headers={"Retry-After": str(max(1, retry_after))})


def at(pointer: str, code: str) -> Invalid:
    """Return the 422 that blames one field, in the words declared for the slug."""
    return Invalid([FieldError(pointer, code, FIELD_TEXTS[code])])

"""What a person does on the page: each form posts here and gets a small JSON answer for the page's script."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.errors import NoSuchThing
from sandbox.objects import Acknowledgement, Json
from sandbox.page.forms import BadForm, read_click, read_values
from sandbox.page.guard import HEADERS, is_from_elsewhere
from sandbox.workspace import Workspace

NO_ANSWER = "Deskmate didn't take that. Is it connected? Try again in a moment."
MAX_UPLOAD_BYTES = 20_000_000

File = tuple[str, bytes]
Deed = Callable[[str, FormData, list[File]], Json]


class Deeds:
    """The answers are `{}`, or have `go` (an address to open), `notice` (a sentence to show) or `errors`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.known: dict[str, Deed] = {
            "post": self.post,
            "edit": self.edit,
            "delete": self.delete,
            "react": self.react,
            "click": self.click,
            "click-home": self.click_home,
            "click-view": self.click_view,
            "submit": self.submit,
            "close": self.close,
            "assistant": self.assistant,
            "advance": self.advance,
        }

    async def do(self, request: Request) -> Response:
        """Carry out one deed; the waiting happens in a worker thread, for the app's answer may take seconds."""
        if is_from_elsewhere(request):
            return _answer({"notice": "This request came from another site and was refused."}, 403)
        user, deed = request.path_params["user"], self.known.get(request.path_params["deed"])
        if deed is None or user not in self.workspace.users:
            return _answer({"notice": "The page asked for something unknown."}, 404)
        async with request.form(max_part_size=1_000_000) as form:
            files = await _files(form)
            if any(len(content) > MAX_UPLOAD_BYTES for _, content in files):
                return _answer({"notice": "That file is larger than 20 MB."}, 413)
            try:
                return _answer(await run_in_threadpool(deed, user, form, files))
            except (NoSuchThing, BadForm) as error:
                return _answer({"notice": f"{error}."}, 409)

    def post(self, user: str, form: FormData, files: list[File]) -> Json:
        """Post what was typed; a question in the DM opens its thread, to show the answer. `/word` is a command."""
        channel, thread, text = _text(form, "channel"), _text(form, "thread") or None, _text(form, "text").strip()
        if text.startswith("/") and not text.startswith("//") and not files:
            return self._command(user, channel, thread, text)
        if not text and not files:
            return {}
        if files:
            for at, (name, content) in enumerate(files):
                ts = self.workspace.upload(user, channel, name, content, text if at == 0 else "", thread_ts=thread)
        else:
            ts = self.workspace.post(user, channel, text, thread_ts=thread)
        if thread is None and channel == self.workspace.dm_of(user).id:
            return {"go": f"/as/{user}/C/{channel}?thread={ts}"}
        return {}

    def _command(self, user: str, channel: str, thread: str | None, text: str) -> Json:
        command, _, rest = text.partition(" ")
        if thread is not None:
            return {"notice": f"{command} doesn't work in threads, as in Slack. Type it into the main message box."}
        self.workspace.command(user, channel, command, rest.strip())
        return {}

    def edit(self, user: str, form: FormData, files: list[File]) -> Json:
        text = _text(form, "text").strip()
        if text:
            self.workspace.edit(user, _text(form, "channel"), _text(form, "ts"), text)
        return {}

    def delete(self, user: str, form: FormData, files: list[File]) -> Json:
        self.workspace.delete(user, _text(form, "channel"), _text(form, "ts"))
        return {}

    def react(self, user: str, form: FormData, files: list[File]) -> Json:
        self.workspace.react(user, _text(form, "channel"), _text(form, "ts"), _text(form, "name"))
        return {}

    def click(self, user: str, form: FormData, files: list[File]) -> Json:
        channel, ts = _text(form, "channel"), _text(form, "ts")
        message = self.workspace.message(channel, ts)
        if message is None:
            raise NoSuchThing("That message is gone")
        used = read_click(form, message.blocks)
        return _outcome(self.workspace.click(user, channel, ts, used.block_id, used.action_id, used.value))

    def click_home(self, user: str, form: FormData, files: list[File]) -> Json:
        home = self.workspace.home_of(user)
        used = read_click(form, home.blocks if home else [])
        return _outcome(self.workspace.click_home(user, used.block_id, used.action_id, used.value))

    def click_view(self, user: str, form: FormData, files: list[File]) -> Json:
        view = self.workspace.view_of(user)
        used = read_click(form, view.blocks if view else [])
        view_id = _text(form, "view")
        return _outcome(self.workspace.click_view(user, view_id, used.block_id, used.action_id, used.value))

    def submit(self, user: str, form: FormData, files: list[File]) -> Json:
        """Send a modal; what the workspace or the app refuses is told by block."""
        view = self.workspace.view_of(user)
        if view is None or view.id != _text(form, "view"):
            raise NoSuchThing("That window is closed already")
        return {"errors": self.workspace.submit(user, view.id, read_values(form, view.blocks)) or {}}

    def close(self, user: str, form: FormData, files: list[File]) -> Json:
        self.workspace.close(user, _text(form, "view"))
        return {}

    def assistant(self, user: str, form: FormData, files: list[File]) -> Json:
        thread = self.workspace.open_assistant(user, _text(form, "channel") or None)
        return {"go": f"/as/{user}/C/{self.workspace.dm_of(user).id}?thread={thread}"}

    def advance(self, user: str, form: FormData, files: list[File]) -> Json:
        """A day passes, for everybody."""
        return {"notice": f"A day has passed. Time is {self.workspace.advance(24)} ahead of your computer's."}


def _outcome(acknowledgement: Acknowledgement) -> Json:
    return {} if acknowledgement.ok else {"notice": NO_ANSWER}


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


async def _files(form: FormData) -> list[File]:
    """The uploads that hold something; a browser sends an empty one for an empty file field."""
    chosen = [part for part in form.getlist("files") if isinstance(part, UploadFile) and part.filename]
    return [(part.filename or "file", await part.read()) for part in chosen]


def _answer(body: Json, status: int = 200) -> Response:
    return JSONResponse(body, status, headers=HEADERS)

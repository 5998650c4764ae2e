"""How one-time pages are served: nothing cached, nothing from elsewhere, nothing told to the next site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.factors.factor import Ask

FOLDER = Path(__file__).parent
LARGEST_FORM = 16_384
"""Bytes; the largest honest form is under one thousand."""
SCRIPT = "static/security-key.js"
FORM_TYPE = "application/x-www-form-urlencoded"
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
WITH_SCRIPT = POLICY + "; script-src 'self'"
"""For pages that ask for a security key; the others get no script at all."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True)
class Page:
    """What is shown: a template's name and what it needs."""

    template: str
    status: int = 200
    title: str = ""
    text: str = ""
    error: str = ""
    account: str = ""
    asks: tuple[Ask, ...] = ()
    """The proofs of which one is asked for."""
    creation: str = ""
    """What a security key is to be made with, as JSON."""

    @property
    def scripted(self) -> bool:
        """Whether the page needs the script that speaks with security keys."""
        return bool(self.creation) or any(ask.data for ask in self.asks)


Show = Callable[[str], Page]
Submit = Callable[[str, Mapping[str, str]], Page]


class OncePages:
    """Turns pages into responses. Handlers run in a worker thread, so they may block on a directory."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self._style = (FOLDER / "once.css").read_bytes()
        self._script = (FOLDER / SCRIPT).read_bytes()

    def route(self, purpose: str, *, show: Show, submit: Submit) -> Route:
        """Serve `/once/PURPOSE-…`: `show(token)` for a GET, changing nothing, `submit(token, fields)` for a POST."""

        async def serve(request: Request) -> Response:
            token = f"{purpose}-{request.path_params['rest']}"
            if request.method != "POST":
                return self._respond(await run_in_threadpool(show, token))
            fields = await read_form(request)
            if fields is None:
                return self._respond(Page("said.html", 400, "That didn't work", "The form arrived incomplete."))
            return self._respond(await run_in_threadpool(submit, token, fields))

        return Route(f"/once/{purpose}-{{rest}}", serve, methods=["GET", "POST"])

    def common_routes(self) -> list[BaseRoute]:
        """The style sheet, the script, and what is said to links that nobody made; to be added after all others."""

        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}

        def style(request: Request) -> Response:
            return Response(self._style, media_type="text/css", headers=headers)

        def script(request: Request) -> Response:
            return Response(self._script, media_type="text/javascript", headers=headers)

        def unknown(request: Request) -> Response:
            return self._respond(unknown_link())

        return [
            Route("/once/style.css", style, methods=["GET"]),
            Route(f"/once/{SCRIPT}", script, methods=["GET"]),
            Route("/once/{token:path}", unknown, methods=["GET", "POST"]),
        ]

    def _respond(self, page: Page) -> Response:
        html = self._templates.get_template(page.template).render(page=page)
        headers = HEADERS | {"Content-Security-Policy": WITH_SCRIPT if page.scripted else POLICY}
        return Response(html, status_code=page.status, media_type="text/html", headers=headers)


def unknown_link() -> Page:
    return Page(
        "said.html", 404, "This link isn't one of ours", "Check that you copied all of it, or ask for a new one."
    )


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a small URL-encoded form, in memory only; None for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}

"""The page's addresses: `/as/PERSON/...` is the workspace as that person sees it, so two tabs can be two people."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.objects import Channel, User
from sandbox.page.deeds import Deeds
from sandbox.page.guard import HEADERS
from sandbox.page.mrkdwn import Names
from sandbox.page.reading import Reading
from sandbox.page.rendering import environment, render_blocks
from sandbox.page.scene import Face, Place, Scene, as_typed, clock, day
from sandbox.workspace import Workspace

STATIC = Path(__file__).parent / "static"
SHOWN_PEOPLE = 6
SHOWN_MESSAGES = 100
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
QUESTIONS = (
    "How do I set up the VPN on my new laptop?",
    "I forgot my password",
    "My laptop screen is cracked",
)


def routes(workspace: Workspace) -> list[BaseRoute]:
    """Everything that the browser page needs, for the sandbox's web server to mount at its root."""
    page = Page(workspace)
    deeds = Deeds(workspace)
    return [
        Route("/", page.start),
        Route("/as/{user}", page.first),
        Route("/as/{user}/C/{channel}", page.channel),
        Route("/as/{user}/home", page.home),
        Route("/as/{user}/mail", page.mail),
        Route("/as/{user}/authenticator", page.authenticator),
        Route("/as/{user}/changes", page.changes),
        Route("/as/{user}/files/{file}", page.file),
        Route("/as/{user}/do/{deed}", deeds.do, methods=["POST"]),
        Mount("/page", StaticFiles(directory=STATIC)),
    ]


class Page:
    """The screens. All but the stream of changes are plain functions, which Starlette runs in a worker thread."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.reading = Reading(workspace)
        self.version = int(max(path.stat().st_mtime for path in STATIC.iterdir()))  # so that no browser keeps old files
        self.environment = environment(Names(user=self._user_name, channel=self._channel_name))
        self.environment.globals |= {
            "all_people": workspace.people,
            "all_channels": lambda: [each for each in list(workspace.channels.values()) if not each.is_im],
            "face_of": Face.of,
            "clock": clock,
            "day": day,
            "as_typed": lambda text: as_typed(text, self._user_name),
            "questions": QUESTIONS,
        }

    def _user_name(self, user_id: str) -> str | None:
        user = self.workspace.users.get(user_id)
        return user.name if user else None

    def _channel_name(self, channel_id: str) -> str | None:
        channel = self.workspace.channels.get(channel_id)
        return channel.name if channel else None

    def start(self, request: Request) -> Response:
        """Begin as an employee, in the conversation with the bot."""
        people = self.workspace.people()
        if not people:
            raise HTTPException(404, "This workspace has no people")
        first = next((person for person in people if person.role == "employee"), people[0])
        return RedirectResponse(f"/as/{first.id}")

    def first(self, request: Request) -> Response:
        viewer = self._viewer(request)
        return RedirectResponse(f"/as/{viewer.id}/C/{self.workspace.dm_of(viewer.id).id}")

    def channel(self, request: Request) -> Response:
        viewer = self._viewer(request)
        channel = next(
            (each for each in self.workspace.channels_of(viewer.id) if each.id == request.path_params["channel"]), None
        )
        if channel is None:
            raise HTTPException(404, f"{viewer.name} is in no such channel")
        scene = Scene(self.workspace, self.environment, viewer)
        messages = self.workspace.messages(channel.id, viewer.id)
        self.reading.saw(viewer.id, channel.id)
        thread_ts = request.query_params.get("thread")
        thread = self._thread(scene, channel, thread_ts) if thread_ts else None
        if thread_ts and thread is None:
            return RedirectResponse(request.url.path)
        earlier = 0 if "all" in request.query_params else max(0, len(messages) - SHOWN_MESSAGES)
        return self._screen(
            request,
            "channel.html",
            viewer,
            channel=channel,
            lines=scene.lines(messages[earlier:], place="m"),
            earlier=earlier,
            thread=thread,
        )

    def _thread(self, scene: Scene, channel: Channel, ts: str) -> dict[str, Any] | None:
        assistant = self.workspace.assistant_of(channel.id, ts)
        messages = self.workspace.thread(channel.id, ts, scene.viewer.id)
        if not messages and assistant is None:
            return None
        return {
            "ts": ts,
            "assistant": assistant,
            "lines": scene.lines([each for each in messages if each.subtype != "assistant_app_thread"], place="t"),
            "status": scene.status(channel.id, ts),
        }

    def home(self, request: Request) -> Response:
        """The app's home; opening it (not refreshing it) tells the app, which then publishes its view."""
        viewer = self._viewer(request)
        if not _refreshes(request):
            self.workspace.open_home(viewer.id)
        view = self.workspace.home_of(viewer.id)
        body = render_blocks(view.blocks, self.environment, place="home", values=view.values) if view else None
        return self._screen(request, "home.html", viewer, home=view, body=body)

    def mail(self, request: Request) -> Response:
        viewer = self._viewer(request)
        mail = self.workspace.mail_of(viewer.id)
        self.reading.saw(viewer.id, "mail")
        return self._screen(request, "mail.html", viewer, mail=list(reversed(mail)))

    def authenticator(self, request: Request) -> Response:
        viewer = self._viewer(request)
        return self._screen(request, "authenticator.html", viewer, totp=self.workspace.totp_of(viewer.id))

    def file(self, request: Request) -> Response:
        """A file that was shared where the person can see it; only pictures are shown, all else is downloaded."""
        viewer = self._viewer(request)
        file = self.workspace.file(request.path_params["file"])
        mine = {each.id for each in self.workspace.channels_of(viewer.id)}
        if file is None or not mine & set(file.channels):
            raise HTTPException(404, "There is no such file")
        picture = file.mimetype in PICTURES
        way = "inline" if picture else "attachment"
        return Response(
            file.content,
            media_type=file.mimetype if picture else "application/octet-stream",
            headers=HEADERS | {"Content-Disposition": f"{way}; filename*=UTF-8''{quote(file.name, safe='')}"},
        )

    async def changes(self, request: Request) -> Response:
        """Server-sent events: one line whenever anything changed; the page then asks for itself again."""

        async def events() -> AsyncIterator[str]:
            yield "retry: 1000\n\n"
            async for change in self.workspace.changes():
                yield f"event: change\ndata: {change.kind}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _viewer(self, request: Request) -> User:
        user = self.workspace.users.get(request.path_params["user"])
        if user is None or user.is_bot:
            raise HTTPException(404, "There is no such person")
        return user

    def _screen(self, request: Request, template: str, viewer: User, **shown: Any) -> Response:
        people = self.workspace.people()
        channels = self.workspace.channels_of(viewer.id)
        view = self.workspace.view_of(viewer.id)
        near = [person for person in people if person.role != "employee" or person.id == viewer.id]
        near += [person for person in people if person not in near][: max(0, SHOWN_PEOPLE - len(near))]
        context = {
            "workspace": self.workspace,
            "bot": self.workspace.users[self.workspace.bot_user_id],
            "viewer": viewer,
            "near": sorted(near, key=lambda person: person.name),
            "others": [person for person in people if person not in near],
            "dm": next(channel for channel in channels if channel.is_im),
            "places": [Place(each, self.reading.unread(viewer.id, each.id)) for each in channels],
            "new_mail": self.reading.unread(viewer.id, "mail"),
            "has_news": self.reading.has_news,
            "trouble": self._nobody_listens(),
            "modal": view,
            "modal_body": view
            and render_blocks(view.blocks, self.environment, place=view.id, values=view.values, errors=view.errors),
            "path": request.url.path,
            "version": self.version,
        }
        html = self.environment.get_template(template).render(context | shown)
        return HTMLResponse(html, headers=HEADERS)

    def _nobody_listens(self) -> bool:
        """Whether the app left the last event unacknowledged and hasn't written anything since."""
        with self.workspace.lock:
            since = self.workspace.unanswered_at
            return since is not None and not any(
                message.bot_id and message.subtype is None and float(message.ts) > since
                for history in self.workspace.history.values()
                for message in history.values()
            )


def _refreshes(request: Request) -> bool:
    return request.headers.get("x-refresh") == "1"

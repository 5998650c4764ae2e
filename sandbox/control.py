"""/control: for tests in other processes, which drive people, order faults, and look at everything."""

import base64
from collections.abc import Iterable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import NoSuchThing
from sandbox.faults import Faults
from sandbox.objects import Acknowledgement, Json, Message, View
from sandbox.workspace import Workspace

ACTS = (
    "post",
    "edit",
    "delete",
    "upload",
    "react",
    "click",
    "click_home",
    "click_view",
    "submit",
    "close",
    "open_home",
    "open_assistant",
    "change_assistant_context",
    "command",
    "change_profile",
    "totp_of",
    "advance",
)


def control_routes(workspace: Workspace, faults: Faults, calls: Iterable[Json]) -> list[Route]:
    async def order_fault(request: Request) -> Response:
        if "Origin" in request.headers:
            return _no_web_pages()
        return await _in_a_thread(faults.order, await request.json())

    async def act(request: Request) -> Response:
        if "Origin" in request.headers:
            return _no_web_pages()
        return await _in_a_thread(lambda wish: {"result": _act(workspace, wish)}, await request.json())

    def list_calls(request: Request) -> Response:
        method, since = request.query_params.get("method"), int(request.query_params.get("since", 0))
        listed = [call for call in list(calls)[since:] if method in (None, call["method"])]
        return JSONResponse({"ok": True, "calls": listed})

    def state(request: Request) -> Response:
        return JSONResponse({"ok": True, **_state(workspace)})

    return [
        Route("/control/faults", order_fault, methods=["POST"]),
        Route("/control/act", act, methods=["POST"]),
        Route("/control/calls", list_calls),
        Route("/control/state", state),
    ]


def _no_web_pages() -> Response:
    """A browser names the page that sends a request; tests don't. So no web page can drive people from outside."""
    return JSONResponse({"ok": False, "error": "not for web pages"}, 403)


async def _in_a_thread(do: Any, wish: Json) -> Response:
    """Acts wait for the app, so they must not hold up the server's loop."""
    try:
        return JSONResponse({"ok": True, **await run_in_threadpool(do, wish)})
    except (NoSuchThing, ValueError, TypeError) as error:
        return JSONResponse({"ok": False, "error": str(error)}, 400)


def _act(workspace: Workspace, wish: Json) -> Any:
    args = {name: value for name, value in wish.items() if name != "do"}
    if wish.get("do") not in ACTS:
        raise ValueError(f"There is no act {wish.get('do')}; there are {', '.join(ACTS)}")
    if "content" in args:
        args["content"] = base64.b64decode(args["content"])
    result = getattr(workspace, wish["do"])(**args)
    match result:
        case Message():
            return result.to_slack()
        case Acknowledgement(ok=ok, body=body, reason=reason):
            return {"ok": ok, "body": body, "reason": reason}
        case _:
            return result


def _view(workspace: Workspace, view: View) -> Json:
    shown = view.to_slack(team=workspace.team, app_id=workspace.app_id, bot_id=workspace.bot_id)
    return shown | {"errors": view.errors}


def _state(workspace: Workspace) -> Json:
    with workspace.lock:
        return {
            "users": [user.to_slack() for user in workspace.users.values()],
            "channels": [
                {"id": room.id, "name": room.name, "members": room.members, "is_im": room.is_im, "user": room.user}
                for room in workspace.channels.values()
            ],
            "messages": {
                channel: [
                    message.to_slack(with_metadata=True)
                    | {"ephemeral_for": message.ephemeral_for, "streaming": message.streaming}
                    for message in messages.values()
                ]
                for channel, messages in workspace.history.items()
            },
            "views": {
                user: [_view(workspace, view) for view in stack] for user, stack in workspace.views.items() if stack
            },
            "homes": {user: _view(workspace, view) for user, view in workspace.homes.items()},
            "mail": [vars(mail) for mail in workspace.mail],
            "assistant_threads": [vars(thread) for thread in workspace.assistant_threads.values()],
        }

"""views.*: modals and the home tab."""

from typing import Any

from sandbox.blockkit import view_errors
from sandbox.errors import ApiError
from sandbox.objects import Change, Json, View
from sandbox.webapi.args import Args
from sandbox.webapi.finding import user_of
from sandbox.workspace import Workspace

STACK_LIMIT = 3


def _body(args: Args, kind: str) -> Json:
    view: Any = args.json("view")
    if view is None:
        raise ApiError("invalid_arguments", ["[ERROR] missing required field: view"])
    errors = view_errors(view, kind)
    if errors:
        raise ApiError("invalid_arguments", errors)
    body: Json = view
    return body


def _shown(workspace: Workspace, view: View) -> Json:
    return {"view": view.to_slack(team=workspace.team, app_id=workspace.app_id, bot_id=workspace.bot_id)}


def _refuse_known_external_id(workspace: Workspace, body: Json, but: View | None = None) -> None:
    wanted = body.get("external_id")
    views = [view for stack in workspace.views.values() for view in stack]
    if wanted and any(view.body.get("external_id") == wanted for view in views if view is not but):
        raise ApiError("duplicate_external_id")


def open_(workspace: Workspace, args: Args) -> Json:
    body = _body(args, "modal")
    user = workspace.spend_trigger(args.required("trigger_id"))
    _refuse_known_external_id(workspace, body)
    view = workspace.new_view(user, body)
    workspace.views[user] = [view]
    workspace.changed(Change("view", user=user))
    return _shown(workspace, view)


def push(workspace: Workspace, args: Args) -> Json:
    body = _body(args, "modal")
    user = workspace.spend_trigger(args.required("trigger_id"))
    stack = workspace.views.get(user)
    if not stack:
        raise ApiError("invalid_trigger_id")
    if len(stack) >= STACK_LIMIT:
        raise ApiError("push_limit_reached")
    _refuse_known_external_id(workspace, body)
    stack.append(workspace.new_view(user, body, below=stack[-1]))
    workspace.changed(Change("view", user=user))
    return _shown(workspace, stack[-1])


def update(workspace: Workspace, args: Args) -> Json:
    views = [view for stack in workspace.views.values() for view in stack] + list(workspace.homes.values())
    if args.has("view_id"):
        named = [view for view in views if view.id == args.text("view_id")]
    else:
        named = [view for view in views if view.body.get("external_id") == args.required("external_id")]
    if not named:
        raise ApiError("not_found")
    view = named[0]
    body = _body(args, view.type)
    _refuse_stale_hash(args, view)
    _refuse_known_external_id(workspace, body, but=view)
    workspace.replace_view(view, body)
    return _shown(workspace, view)


def _refuse_stale_hash(args: Args, view: View) -> None:
    if args.has("hash") and args.text("hash") != view.hash:
        raise ApiError("hash_conflict")


def publish(workspace: Workspace, args: Args) -> Json:
    user, body = user_of(workspace, args, "user_id"), _body(args, "home")
    view = workspace.homes.get(user.id)
    if view is None:
        view = workspace.homes[user.id] = workspace.new_view(user.id, body)
        workspace.changed(Change("home", user=user.id))
    else:
        _refuse_stale_hash(args, view)
        workspace.replace_view(view, body)
    return _shown(workspace, view)


METHODS = {"views.open": open_, "views.push": push, "views.update": update, "views.publish": publish}

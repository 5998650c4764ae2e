"""auth.*, users.*, bots.*, team.*, files.info, api.test: who is who."""

from sandbox.errors import ApiError
from sandbox.objects import Json, User
from sandbox.webapi.args import Args
from sandbox.webapi.finding import user_of
from sandbox.workspace import Workspace


def _shown(workspace: Workspace, user: User) -> Json:
    return user.to_slack(bot_id=workspace.bot_id, app_id=workspace.app_id)


def api_test(workspace: Workspace, args: Args) -> Json:
    if args.has("error"):
        raise ApiError(args.text("error"))
    return {"args": args.as_dict()}


def auth_test(workspace: Workspace, args: Args) -> Json:
    return {
        "url": f"{workspace.base_url}/",
        "team": workspace.team.name,
        "user": workspace.users[workspace.bot_user_id].handle,
        "team_id": workspace.team.id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def users_info(workspace: Workspace, args: Args) -> Json:
    return {"user": _shown(workspace, user_of(workspace, args))}


def users_list(workspace: Workspace, args: Args) -> Json:
    page, after = args.page(list(workspace.users.values()))
    shown = [_shown(workspace, user) for user in page]
    return {"members": shown, "cache_ts": int(workspace.clock()), "response_metadata": {"next_cursor": after}}


def lookup_by_email(workspace: Workspace, args: Args) -> Json:
    address = args.required("email").lower()
    for user in workspace.users.values():
        if user.emails and user.emails[0].lower() == address and not user.deleted:
            return {"user": _shown(workspace, user)}
    raise ApiError("users_not_found")


def bots_info(workspace: Workspace, args: Args) -> Json:
    if args.text("bot", workspace.bot_id) != workspace.bot_id:
        raise ApiError("bot_not_found")
    bot: Json = {"id": workspace.bot_id, "deleted": False, "name": workspace.users[workspace.bot_user_id].name}
    return {"bot": bot | {"app_id": workspace.app_id, "user_id": workspace.bot_user_id, "updated": 0, "icons": {}}}


def team_info(workspace: Workspace, args: Args) -> Json:
    return {"team": workspace.team.to_slack()}


def files_info(workspace: Workspace, args: Args) -> Json:
    file = workspace.file(args.required("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": file.to_slack(), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "users.info": users_info,
    "users.list": users_list,
    "users.lookupByEmail": lookup_by_email,
    "bots.info": bots_info,
    "team.info": team_info,
    "files.info": files_info,
}

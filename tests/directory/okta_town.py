"""The town in a stand-in for Okta."""

from pydantic import SecretStr

from bot.directory.okta import OktaDirectory
from bot.directory.settings import DirectorySettings
from tests.directory.okta_server import TOKEN, OktaServer
from tests.directory.town import DESIGN_TOOLS, OLD


class OktaTown:
    """Satisfies `Town`. Pages are short, so that nothing fits on one."""

    def __init__(self) -> None:
        self.server = OktaServer(page=2)
        self.slept: list[float] = []
        self.settings = DirectorySettings(
            directory="okta",
            okta_url=self.server.url,
            okta_token=SecretStr(TOKEN),
            privileged_groups=frozenset({"admins"}),
        )
        self.directory = OktaDirectory(self.settings, sleep=self.slept.append)
        victor = self.add("victor")
        alice = self.add("alice", managerId=victor, manager="Victor")
        adam = self.add("adam")
        nina = self.add("nina")
        self.server.add_group("night-shift", nina)
        self.server.add_group("admins", adam, nina)
        self.server.add_group("staff", alice, victor, adam, nina)
        tools = self.server.add_group("design-tools", victor, description=DESIGN_TOOLS)
        self.server.own(tools, victor)

    def add(self, login: str, **profile: str) -> str:
        account = login.split("@")[0]
        name = account.title()
        return self.server.add_user(
            login, OLD, **{"displayName": name, "email": f"{account}@harbour.example", "firstName": name, **profile}
        )

    def id_at_okta(self, login: str) -> str:
        return next(key for key, user in self.server.users.items() if user["profile"]["login"] == login)

    def group_at_okta(self, name: str) -> str:
        return next(key for key, group in self.server.groups.items() if group["profile"]["name"] == name)

    def recreate(self, account: str) -> None:
        self.server.delete_user(self.id_at_okta(account))
        self.add(account)

    def lock(self, account: str) -> None:
        self.server.users[self.id_at_okta(account)]["status"] = "LOCKED_OUT"

    def signs_in(self, account: str, password: str) -> bool:
        return self.server.signs_in(self.id_at_okta(account), password)

    def sessions(self, account: str) -> int:
        return self.server.sessions[self.id_at_okta(account)]

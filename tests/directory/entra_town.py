"""The town in a stand-in for Entra."""

from pydantic import SecretStr

from bot.directory.entra import EntraDirectory
from bot.directory.settings import DirectorySettings
from tests.directory.entra_server import CLIENT, SECRET, TENANT, EntraServer
from tests.directory.town import DESIGN_TOOLS, DOMAIN, OLD, TakesTheOldPassword


class EntraTown(TakesTheOldPassword):
    """Satisfies `Town`. Its passwords have no capitals and digits, so its accounts are let off that."""

    def __init__(self, server: EntraServer) -> None:
        self.server = server
        self.settings = DirectorySettings(
            directory="entra",
            entra_tenant=TENANT,
            entra_client_id=CLIENT,
            entra_client_secret=SecretStr(SECRET),
            entra_graph_url=server.graph_url,
            entra_login_url=server.origin,
        )
        self.directory = EntraDirectory(self.settings)
        victor, alice, adam, nina = (self._add(name) for name in ("victor", "alice", "adam", "nina"))
        server.entries[alice].manager = victor
        night = server.add_group("night-shift", [nina])
        inner = server.add_group("inner", [night])
        server.add_group("admins", [adam, inner])
        server.add_group("staff", [alice, victor, adam, nina])
        server.add_group("design-tools", [victor], [victor], description=DESIGN_TOOLS)

    def _add(self, account: str) -> str:
        mail = f"{account}{DOMAIN}"
        return self.server.add_user(mail, account.title(), OLD, mail=mail, passwordPolicies="DisableStrongPassword")

    def recreate(self, account: str) -> None:
        self.server.delete(self.server.user(f"{account}{DOMAIN}").id)
        self._add(account)

    def lock(self, account: str) -> None:
        self.server.user(f"{account}{DOMAIN}").locked = True

    def signs_in(self, account: str, password: str) -> bool:
        return self.server.signs_in(f"{account}{DOMAIN}", password)

    def sessions(self, account: str) -> int:
        return self.server.user(f"{account}{DOMAIN}").sessions

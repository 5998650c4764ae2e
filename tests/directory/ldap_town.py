"""The town in a real OpenLDAP."""

from ldap3 import MODIFY_REPLACE, Connection  # type: ignore[import-untyped]  # ships no types

from bot.directory.ldap import LdapDirectory
from bot.directory.settings import DirectorySettings
from tests.directory import openldap
from tests.directory.town import DESIGN_TOOLS, OLD, id_of


class LdapTown:
    """Satisfies `Town`."""

    def __init__(self, settings: DirectorySettings) -> None:
        self.settings = settings
        self.directory = LdapDirectory(settings)
        admin = self.as_root()
        victor = openldap.add_person(admin, "victor", OLD, mail=["victor@harbour.example"])
        alice = openldap.add_person(admin, "alice", OLD, mail=["alice@harbour.example"], manager=victor)
        adam = openldap.add_person(admin, "adam", OLD, mail=["adam@harbour.example"], under=openldap.ADMINS)
        nina = openldap.add_person(admin, "nina", OLD, mail=["nina@harbour.example"])
        night = openldap.add_group(admin, "night-shift", [nina])
        inner = openldap.add_group(admin, "inner", [night])
        openldap.add_group(admin, "admins", [adam, inner])
        openldap.add_group(admin, "staff", [alice, victor, adam, nina])
        openldap.add_group(admin, "design-tools", [victor], owner=victor, description=DESIGN_TOOLS)
        admin.unbind()

    def as_root(self) -> Connection:
        return openldap.as_root(self.settings.ldap_url)

    def recreate(self, account: str) -> None:
        admin = self.as_root()
        admin.delete(f"uid={account},{openldap.PEOPLE}")
        openldap.add_person(admin, account, OLD, mail=[f"{account}@harbour.example"])
        admin.unbind()

    def lock(self, account: str) -> None:
        admin = self.as_root()
        admin.modify(
            f"uid={account},{openldap.PEOPLE}",
            {"pwdAccountLockedTime": [(MODIFY_REPLACE, ["20260101120000Z"])]},
        )
        assert admin.result["result"] == 0, admin.result
        admin.unbind()

    def signs_in(self, account: str, password: str) -> bool:
        return self.directory.check_password(id_of(self, account), password)

    def sessions(self, account: str) -> int:
        return 1

"""The directories that Deskmate can work with: one line each."""

from typing import assert_never

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Directory
from bot.directory.settings import DirectorySettings
from store import Database


def directory(settings: DirectorySettings, database: Database) -> Directory:
    """The directory that the settings name. Errors: `DirectoryMisconfigured`; the server isn't asked yet."""
    match settings.directory:
        case "demo":
            return DemoDirectory(database, privileged_groups=settings.privileged_groups)
        case "ldap":
            from bot.directory.ldap import LdapDirectory  # its client library is only loaded where it is used

            return LdapDirectory(settings)
        case "scim":
            from bot.directory.scim import ScimDirectory

            return ScimDirectory(settings)
        case "okta":
            from bot.directory.okta import OktaDirectory

            return OktaDirectory(settings)
        case "entra":
            from bot.directory.entra import EntraDirectory

            return EntraDirectory(settings)
        case _:
            assert_never(settings.directory)

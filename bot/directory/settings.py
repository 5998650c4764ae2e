"""Where people are looked up."""

from typing import Annotated, Literal

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import BotError


class DirectoryMisconfigured(BotError):
    """A setting of the directory is missing or can't be right."""


class DirectorySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    directory: Literal["demo", "ldap", "scim", "okta", "entra"] = "demo"
    privileged_groups: Annotated[frozenset[str], NoDecode] = frozenset({"admins", "domain admins"})
    """Names of groups, comma-separated; who is in one, also through other groups, gets no automatic reset."""
    ldap_url: str | None = None
    """`ldaps://host` (TLS), or `ldap://host`: StartTLS, but for a server on this machine."""
    ldap_bind_dn: str | None = None
    """The service account; never the rootdn, which the server's password policy doesn't bind."""
    ldap_bind_password: SecretStr | None = None
    ldap_base_dn: str | None = None
    ldap_ca_file: str | None = None
    """Certificates to trust instead of the system's."""
    scim_url: str | None = None
    """The base of all endpoints, `https://host/scim/v2`; http only for a server on this machine."""
    scim_token: SecretStr | None = None
    """A bearer token (RFC 6750)."""
    scim_ca_file: str | None = None
    """Certificates to trust instead of the system's."""
    okta_url: str | None = None
    """`https://company.okta.com`, without `-admin`."""
    okta_token: SecretStr | None = None
    """An API token; it has the rights of the account that made it."""
    entra_tenant: str | None = None
    """The tenant's id, or one of its domains."""
    entra_client_id: str | None = None
    entra_client_secret: SecretStr | None = None
    entra_graph_url: str = "https://graph.microsoft.com/v1.0"
    entra_login_url: str = "https://login.microsoftonline.com"
    """Another one only in a national cloud."""

    @field_validator("privileged_groups", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, list | tuple | set | frozenset):
            return frozenset(str(name).strip().casefold() for name in value if str(name).strip())
        return value

"""An OpenLDAP of our own on loopback: people, privileged people, groups, a password policy, a service account."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ldap3 import NONE, Connection, Server  # type: ignore[import-untyped]  # ships no types
from pydantic import SecretStr

from bot.directory.settings import DirectorySettings
from tests.conftest import free_port

SLAPD = Path("/usr/sbin/slapd")
MODULES = Path("/usr/lib/ldap")
BASE = "dc=harbour,dc=example"
ROOT_DN, ROOT_PASSWORD = f"cn=root,{BASE}", "root of the tests"
SERVICE_DN, SERVICE_PASSWORD = f"cn=deskmate,ou=services,{BASE}", "service of the tests"
PEOPLE, ADMINS, GROUPS = f"ou=people,{BASE}", f"ou=admins,{BASE}", f"ou=groups,{BASE}"

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{root_password}"
directory {folder}/data
maxsize 104857600
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{base}"
access to dn.subtree="{people}" attrs=userPassword
    by dn.exact="{service}" write
    by anonymous auth
    by * none
access to dn.subtree="{people}" attrs=pwdAccountLockedTime
    by dn.exact="{service}" write
    by * none
access to attrs=userPassword
    by anonymous auth
    by * none
access to dn.regex="^cn=(admins|inner|night-shift),{groups}$" attrs=member
    by dn.exact="{service}" read
    by * none
access to dn.subtree="{groups}" attrs=member
    by dn.exact="{service}" write
    by * none
access to *
    by dn.exact="{service}" read
    by * none
"""


@contextmanager
def openldap(folder: Path) -> Iterator[DirectorySettings]:
    """A running server with an empty tree; the settings to reach it as the service account. Stopped by its own pid."""
    (folder / "data").mkdir()
    config = folder / "slapd.conf"
    words = {
        "people": PEOPLE,
        "service": SERVICE_DN,
        "groups": GROUPS,
        "root": ROOT_DN,
        "root_password": ROOT_PASSWORD,
        "base": BASE,
    }
    config.write_text(CONFIG.format(folder=folder, modules=MODULES, **words))
    url = f"ldap://127.0.0.1:{free_port()}"
    # With `-d` it stays in the foreground, so it is our child and ends with us.
    server = subprocess.Popen([SLAPD, "-f", config, "-h", url + "/", "-d", "0"], stderr=subprocess.DEVNULL)
    try:
        admin = wait_for(url)
        fill(admin)
        admin.unbind()
        yield DirectorySettings(
            directory="ldap",
            ldap_url=url,
            ldap_bind_dn=SERVICE_DN,
            ldap_bind_password=SecretStr(SERVICE_PASSWORD),
            ldap_base_dn=BASE,
        )
    finally:
        server.terminate()
        server.wait(10)


def wait_for(url: str) -> Connection:
    parsed = urlsplit(url)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((str(parsed.hostname), parsed.port or 389), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return as_root(url)
    raise TimeoutError("slapd didn't start")


def as_root(url: str | None) -> Connection:
    return Connection(Server(url, get_info=NONE), ROOT_DN, ROOT_PASSWORD, auto_bind=True)


def fill(admin: Connection) -> None:
    def add(dn: str, classes: list[str], **attributes: object) -> None:
        assert admin.add(dn, classes, attributes), (dn, admin.result)

    add(BASE, ["dcObject", "organization"], o="Harbour")
    for unit in ("people", "admins", "groups", "services", "policies"):
        add(f"ou={unit},{BASE}", ["organizationalUnit"])
    add(
        f"cn=default,ou=policies,{BASE}",
        ["applicationProcess", "pwdPolicy"],
        pwdAttribute="userPassword",
        pwdMinLength=12,
        pwdCheckQuality=2,
        pwdInHistory=3,
        pwdLockout="TRUE",
    )
    add(SERVICE_DN, ["applicationProcess", "simpleSecurityObject"], userPassword=SERVICE_PASSWORD)


def add_person(
    admin: Connection, account: str, password: str, *, mail: list[str], under: str = PEOPLE, **more: str
) -> str:
    dn = f"uid={account},{under}"
    attributes = {"uid": account, "cn": account.title(), "sn": account.title(), "mail": mail, **more}
    assert admin.add(dn, ["inetOrgPerson"], attributes), admin.result
    admin.extend.standard.modify_password(dn, new_password=password)
    assert admin.result["result"] == 0, admin.result
    return dn


def add_group(admin: Connection, name: str, members: list[str], **more: str) -> str:
    dn = f"cn={name},{GROUPS}"
    assert admin.add(dn, ["groupOfNames"], {"member": members, **more}), admin.result
    return dn

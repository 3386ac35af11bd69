r"""Real mail servers on loopback from Debian's packages: Dovecot (IMAP) and Exim (SMTP), on the same maildirs.

    with dovecot(folder, progress=print) as server:
        account = server.fresh()

They are unpacked into a folder of their own and see it as ``/usr`` in a mount namespace of their own, so that nothing of the machine
changes. That takes ``apt-get`` with a reachable archive, and root or user namespaces; where the packages are installed, they are used.
Dovecot has CONDSTORE, QRESYNC, SPECIAL-USE and XOAUTH2; Exim has DSN, SMTPUTF8 and XOAUTH2, refuses ``blocked@`` for good and
``greylist@`` for now.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final

from .mail import DOMAIN, PASSWORD, Issuer, MailServer, certificate, issuing
from .running import Say, fetched, free_port, nobody, running

__all__ = ["DebianMailServer", "dovecot"]

_PACKAGES: Final = ("dovecot-core", "dovecot-imapd", "exim4-daemon-light", "exim4-base", "libidn12")
_PROGRAMS: Final = ("/usr/sbin/dovecot", "/usr/lib/dovecot/imap", "/usr/sbin/exim4")

_DOVECOT: Final = """\
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
ssl = yes
ssl_cert = <{home}/certificate.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_process_limit = 400
default_client_limit = 4000
first_valid_uid = 1
mail_location = maildir:{home}/mail/%n
mail_max_userip_connections = 100
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%n
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Drafts {{
    special_use = \\Drafts
  }}
  mailbox Trash {{
    special_use = \\Trash
  }}
}}
"""
_OAUTH2: Final = """\
introspection_mode = auth
introspection_url = {issuer}/userinfo
username_attribute = sub
username_format = %n
"""
_EXIM: Final = """\
primary_hostname = mail.{domain}
domainlist local_domains = {domain}
spool_directory = {home}/spool
log_file_path = {home}/spool/%slog
exim_user = {user}
exim_group = {group}
never_users =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = {home}/certificate.pem
tls_privatekey = {home}/key.pem
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_mail = accept
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
deliver_drop_privilege = true
keep_environment =
smtp_enforce_sync = false

begin acl
check_rcpt:
  deny local_parts = blocked
    message = 5.1.1 nobody of this name
  defer local_parts = greylist
    message = 4.7.1 try again later
  deny !authenticated = *
    message = 5.7.1 sign in first
  deny !domains = +local_domains
    message = 5.7.1 relay not permitted
  accept local_parts = bounce
  deny !verify = recipient
    message = 5.1.1 nobody of this name
  accept
check_data:
  deny condition = ${{if eq{{$h_X-Refuse:}}{{yes}}}}
    message = 5.6.0 not a message that is taken here
  accept

begin routers
bounce:
  driver = redirect
  local_parts = bounce
  domains = +local_domains
  data = :fail: 5.1.1 this mailbox was closed
  allow_fail
box:
  driver = accept
  domains = +local_domains
  local_parts = dsearch;{home}/mail
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {home}/mail/$local_part_data
  maildir_format
  return_path_add
  delivery_date_add
  user = {user}
  group = {group}

begin retry
* * F,2m,1m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{{password}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{{password}}}}}
  server_set_id = $auth1
xoauth2:
  driver = plaintext
  public_name = XOAUTH2
  server_prompts = :
  server_condition = ${{if match{{$auth1}}{{\\N^user=(.+)\\x01auth=Bearer (.+)\\x01\\x01$\\N}} \\
    {{${{if eq{{${{lookup{{$2}}lsearch{{{home}/tokens}}}}}}{{$1}}}}}}{{false}}}}
  server_set_id = ${{if match{{$auth1}}{{\\N^user=([^\\x01]+)\\N}}{{$1}}}}
"""


class DebianMailServer(MailServer):
    """Dovecot and Exim.

    Attributes:
        imaps: Port of the IMAP server that begins with TLS.
        smtps: Port of the SMTP server that begins with TLS.
        issuer: Who issues the access tokens that both believe.
    """

    imaps: int
    smtps: int
    issuer: Issuer
    spool: Path

    def settled(self) -> None:
        """Exim delivers after it has answered: wait until its queue is empty."""
        deadline = time.monotonic() + 150
        while any(self.spool.glob("input/**/*-[HD]")):
            if time.monotonic() > deadline:
                raise RuntimeError("Exim does not get done")
            time.sleep(0.02)


@contextlib.contextmanager
def dovecot(folder: Path, *, progress: Say = nobody) -> Iterator[DebianMailServer]:
    """Start a Dovecot and an Exim, and stop them in the end.

    Args:
        folder: Where their logs go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: They cannot be had or do not start; the log says why.
    """
    unpacked = _unpacked(progress)
    root = os.geteuid() == 0
    who = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    home = Path(tempfile.mkdtemp(prefix="aios-mail-"))  # whoever they run as must get there, and a socket's path is short
    try:
        home.chmod(0o755)
        certificate(home)
        for name in ("run", "state", "mail", "spool"):
            (home / name).mkdir()
        tokens = home / "tokens"
        tokens.touch()
        imaps, smtps = free_port(), free_port()
        facts = {"home": home, "user": who.pw_name, "group": _group(who.pw_gid), "password": PASSWORD, "domain": DOMAIN}

        def start(program: str, settings: str, options: str) -> list[str]:
            name = Path(program).name
            (home / f"{name}.conf").write_text(settings)
            return _inside(unpacked, home, who, f"{program} {options.replace('CONF', f'{home}/{name}.conf')}")

        def imap(port: int) -> list[str]:
            return start("/usr/sbin/dovecot", _DOVECOT.format(imap=port, imaps=imaps, **facts), "-F -c CONF")

        def smtp(port: int) -> list[str]:
            return start("/usr/sbin/exim4", _EXIM.format(smtp=port, smtps=smtps, **facts), "-C CONF -bdf -q1m")

        progress("starting Dovecot and Exim")
        with issuing(0, tokens) as issuer:
            (home / "oauth2.conf").write_text(_OAUTH2.format(issuer=issuer.url))
            if root:
                for path in home.rglob("*"):
                    os.chown(path, who.pw_uid, who.pw_gid)
            with (
                running("Dovecot", imap, folder / "imap", ready="") as (imap_url, _),
                running("Exim", smtp, folder / "smtp", ready="") as (smtp_url, _),
            ):
                ports = [int(url.rpartition(":")[2]) for url in (imap_url, smtp_url)]
                title = _versions(unpacked)
                server = DebianMailServer(title, ports[0], ports[1], home / "mail", home / "certificate.pem", tokens)
                server.imaps, server.smtps, server.issuer, server.spool = imaps, smtps, issuer, home / "spool"
                yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unpacked(progress: Say) -> Path | None:
    """The folder the packages were unpacked into; ``None`` if the machine has them installed."""
    import fcntl

    if all(Path(program).exists() for program in _PROGRAMS):
        return None
    if not shutil.which("apt-get") or not shutil.which("dpkg") or not shutil.which("unshare"):
        raise RuntimeError("Dovecot and Exim are not installed, and this is no Debian that could unpack them")
    kept = os.environ.get("AIOS_CACHE")
    beside = Path(sys.prefix).parent if sys.prefix != sys.base_prefix else Path.cwd()
    place = (Path(kept) if kept else beside / ".live") / "dovecot-exim"
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # only one process unpacks; the others wait for it
        if not (place / "unpacked").exists():
            progress("fetching Dovecot and Exim (9 MB, once)")
            _fetch(place)
            for package in place.glob("*.deb"):
                _run(["dpkg", "-x", str(package), str(place / "root")], place)
            (place / "unpacked").touch()
    return place / "root"


def _fetch(place: Path) -> None:
    """The packages as files; the archive's list is renewed only if it names something that is not there any more."""
    command = ["apt-get", "download", *_PACKAGES]
    try:
        _run(command, place)
    except RuntimeError:
        fetched(_renewed, command, place)


def _renewed(command: list[str], place: Path) -> None:
    _run(["apt-get", "update", "--quiet"], place)
    _run(command, place)


def _run(command: list[str], place: Path) -> None:
    done = subprocess.run(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:2])} failed:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _inside(unpacked: Path | None, home: Path, who: pwd.struct_passwd, command: str) -> list[str]:
    """The command that runs another one as a user without rights, with the unpacked packages laid over ``/usr``."""
    lines = ["set -e"]
    if unpacked is not None:
        for name in ("passwd", "group"):  # Exim wants to know a user of this name even if it never becomes it
            own = home / name
            own.write_text(
                Path(f"/etc/{name}").read_text() + f"Debian-exim:x:65533:{'65533::/:/bin/false' if name == 'passwd' else ''}\n"
            )
            lines.append(f"mount --bind {quote(str(own))} /etc/{name}")
        lines.append(f"mount -t overlay overlay -o {quote(f'lowerdir={unpacked}/usr:/usr')} /usr")
    if os.geteuid() == 0:
        lines.append(f"exec setpriv --reuid={who.pw_uid} --regid={who.pw_gid} --clear-groups {command}")
    else:
        lines.append(f"exec unshare --user --map-user={who.pw_uid} --map-group={who.pw_gid} {command}")
    script = "\n".join(lines)
    if unpacked is None:
        return ["sh", "-c", script]
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", script]


def _versions(unpacked: Path | None) -> str:
    told = {}
    for name in ("dovecot-core", "exim4-daemon-light"):
        if unpacked is not None:
            file = next(unpacked.parent.glob(f"{name}_*.deb"))
            told[name] = file.name.split("_")[1].replace("%3a", ":")
        else:
            asked = ["dpkg-query", "--show", "--showformat=${Version}", name]
            told[name] = subprocess.run(asked, check=False, capture_output=True, text=True).stdout
    return " and ".join(f"{name.partition('-')[0].rstrip('4').title()} {version}" for name, version in told.items())


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name

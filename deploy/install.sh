#!/bin/bash
# Brings VeeamSec onto a machine: users, folders, roles, database, keys, units. As root; again after an update.
# docs/operations.md is the manual. Nothing that exists is replaced: neither a key nor a setting.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: install.sh --origin https://NAME --roots DIR[:DIR…] --mail URL [option…]
  --origin URL       the one address that people open
  --roots DIRS       folders that may be backed up, written to and restored into
  --mail URL         smtp+tls://user:password@host:587, or filemail:///folder to try it out
  --home DIR         state and keys                             (/var/lib/veeamsec)
  --prefix DIR       code and Python environment                (/opt/veeamsec)
  --in-place DIR     use this virtual environment and this checkout; copy and download nothing
  --etc DIR          settings                                   (/etc/veeamsec)
  --run DIR          sockets: DIR-web, DIR-broker, …            (/run/veeamsec)
  --log DIR          logs where there is no systemd             (/var/log/veeamsec)
  --users NAME       first part of users and groups             (veeamsec)
  --database-url URL without a user, as the processes come      (postgres://127.0.0.1:5432/veeamsec)
  --admin-url URL    the same, with a user who makes roles and databases; else postgres does
  --valkey PROGRAM   valkey-server or redis-server              (the machine's)
  --proxy-user NAME  the reverse proxy's user                   (www-data)
  --certificate FILE --certificate-key FILE                     (/etc/ssl/veeamsec/…)
  --listen ADDRESS   where the proxy listens                    (443)
  --no-systemd       write no units; deploy/without-systemd.sh starts the processes
TEXT
  exit 2
}

fail() { echo "install.sh: $*" >&2; exit 1; }
say() { echo "== $*"; }

here=$(cd "$(dirname "$0")/.." && pwd)
declare -A o=(
  [home]=/var/lib/veeamsec [prefix]=/opt/veeamsec [etc]=/etc/veeamsec [run]=/run/veeamsec
  [log]=/var/log/veeamsec [users]=veeamsec [database-url]=postgres://127.0.0.1:5432/veeamsec
  [proxy-user]=www-data [listen]=443 [admin-url]='' [in-place]='' [valkey]=''
  [certificate]=/etc/ssl/veeamsec/fullchain.pem [certificate-key]=/etc/ssl/veeamsec/privkey.pem
  [origin]='' [roots]='' [mail]='' [systemd]=yes
)
while (($#)); do
  case $1 in
    --no-systemd) o[systemd]=no; shift ;;
    --*) [[ -v "o[${1#--}]" && $# -ge 2 ]] || usage; o[${1#--}]=$2; shift 2 ;;
    *) usage ;;
  esac
done
for name in origin roots mail; do [[ ${o[$name]} ]] || usage; done
[[ $EUID -eq 0 ]] || fail "run it as root"
[[ ${o[origin]} == https://* ]] || fail "--origin: must be https"
for word in "${o[@]}"; do [[ $word != *$'\n'* && $word != *'|'* ]] || fail "no option may hold a line end or |"; done
[[ -d /run/systemd/system ]] || o[systemd]=no

users=${o[users]} home=${o[home]} etc=${o[etc]} run=${o[run]}
broker_url="redis+socket://$run-broker/valkey.sock"
valkey=${o[valkey]:-$(command -v valkey-server || command -v redis-server || true)}
[[ $valkey ]] || fail "no valkey-server or redis-server here: apt-get install redis-server, or --valkey"

make_users() {
  say "users: $users-web, $users-worker, $users-enterprise, $users-beat, $users-receiver, $users-broker"
  getent group "$users" >/dev/null || groupadd --system "$users"
  local one
  for one in web worker enterprise beat receiver; do
    getent passwd "$users-$one" >/dev/null ||
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$users-$one"
    # The receiver rings no bell: it alone has no way to the broker's socket.
    [[ $one == receiver ]] || usermod --append --groups "$users" "$users-$one"
  done
  getent passwd "$users-broker" >/dev/null ||
    useradd --system --gid "$users" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$users-broker"
  # The proxy reaches the web's socket, and nothing else of it.
  if getent passwd "${o[proxy-user]}" >/dev/null; then
    usermod --append --groups "$users-web" "${o[proxy-user]}"
  fi
}

place_code() {
  if [[ ${o[in-place]} ]]; then
    code=$here python=${o[in-place]}/bin/python
    return
  fi
  code=${o[prefix]}/app python=${o[prefix]}/venv/bin/python
  say "code to $code, Python packages to ${o[prefix]}/venv"
  mkdir -p "$code"
  local part
  for part in accounts approvals audit compliance encryption recovery veeamsec static templates docs deploy; do
    rm -rf "${code:?}/$part.new"
    cp -R "$here/$part" "$code/$part.new"
    rm -rf "${code:?}/$part"
    mv "$code/$part.new" "$code/$part"
  done
  cp "$here/manage.py" "$here/requirements.txt" "$code/"
  find "$code" -name __pycache__ -type d -exec rm -rf {} +
  chown -R root:root "$code"
  chmod -R u=rwX,go=rX "${o[prefix]}"
  [[ -x $python ]] || python3 -m venv "${o[prefix]}/venv" || fail "apt-get install python3-venv"
  "$python" -m pip install --quiet --require-hashes -r "$code/requirements.txt"
  "$python" -m compileall -q "$code"
}

fill() {
  local host=${o[origin]#https://} roots=${o[roots]//:/ }
  sed -e "s|@HOME@|$home|g" -e "s|@ETC@|$etc|g" -e "s|@RUN@|$run|g" -e "s|@RUN_NAME@|${run##*/}|g" \
    -e "s|@LOG@|${o[log]}|g" -e "s|@USERS@|$users|g" -e "s|@CODE@|$code|g" -e "s|@PYTHON@|$python|g" \
    -e "s|@VALKEY@|$valkey|g" -e "s|@ORIGIN@|${o[origin]}|g" -e "s|@HOST@|${host%%[:/]*}|g" \
    -e "s|@ROOTS@|${o[roots]}|g" -e "s|@ROOT_PATHS@|$roots|g" -e "s|@LISTEN@|${o[listen]}|g" \
    -e "s|@DATABASE_URL@|$(escape "${o[database-url]}")|g" -e "s|@BROKER_URL@|$broker_url|g" \
    -e "s|@MAIL@|$(escape "${o[mail]}")|g" -e "s|@CERTIFICATE@|${o[certificate]}|g" \
    -e "s|@CERTIFICATE_KEY@|${o[certificate-key]}|g" "$1"
}
escape() { printf %s "$1" | sed 's/[&\\]/\\&/g'; }

# A settings file is the operator's once it is there.
setting() { # template, file, owner, mode
  [[ -e $2 ]] || { ( umask 077; fill "$1" >"$2" ); chown "$3" "$2"; chmod "$4" "$2"; }
}

write_settings() {
  say "settings in $etc"
  install -d -m 0755 "$etc" "${o[log]}"
  setting "$code/deploy/veeamsec.env" "$etc/veeamsec.env" root:root 0644
  setting "$code/deploy/worker.env" "$etc/worker.env" "root:$users-worker" 0640
  setting "$code/deploy/valkey.conf" "$etc/valkey.conf" root:root 0644
  setting "$code/deploy/nginx.conf" "$etc/nginx.conf" root:root 0644
  setting "$code/deploy/nginx-proxy.conf" "$etc/nginx-proxy.conf" root:root 0644
  setting "$code/deploy/logrotate.conf" "$etc/logrotate.conf" root:root 0644
  cat >"$etc/installed" <<TEXT
code=$code
python=$python
home=$home
run=$run
log=${o[log]}
users=$users
valkey=$valkey
TEXT
}

# Runs manage.py as root in the installation's settings, with the database's owner.
manage() {
  ( cd "$code" && set -a && while IFS='=' read -r name value; do
      [[ $name && $name != \#* ]] && export "$name=$value"
    done <"$etc/veeamsec.env" && VEEAMSEC_PROCESS=owner DATABASE_URL=${admin:-$DATABASE_URL} exec "$python" manage.py "$@" )
}

set_up() {
  say "database, tables, triggers, roles and keys in $home"
  install -d -m 0711 "$home"
  admin=${o[admin-url]}
  local once=''
  if [[ ! $admin ]]; then
    # A superuser for as long as this takes; its password goes through a pipe, not a process list.
    once=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
    psql_as_postgres <<<"CREATE ROLE veeamsec_installer SUPERUSER LOGIN PASSWORD '$once' VALID UNTIL '$(date -u -d '+10 minutes' '+%F %T+00')';"
    trap 'psql_as_postgres <<<"DROP ROLE IF EXISTS veeamsec_installer;"' EXIT
    admin="postgres://veeamsec_installer:$once@${o[database-url]#*://}"
  fi
  ( umask 077; manage setup )
  admin=''
  if [[ $once ]]; then
    psql_as_postgres <<<"DROP ROLE IF EXISTS veeamsec_installer;"
    trap - EXIT
  fi
}
psql_as_postgres() { runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname postgres >/dev/null; }

give_folders() {
  say "folders to their users"
  "$code/deploy/give-folders.sh" "$home" "$users-web:$users-web" "$users-worker:$users-worker" "$users-receiver:$users-receiver" "$users-enterprise:$users-enterprise"
}

write_units() {
  say "units in /etc/systemd/system"
  local unit name
  for unit in "$code"/deploy/systemd/*.service "$code"/deploy/systemd/*.target; do
    name=${unit##*/}
    fill "$unit" >"/etc/systemd/system/$name"
    [[ $name == *.target ]] && continue
    install -d "/etc/systemd/system/$name.d"
    cp "$code/deploy/systemd/hardening.conf" "/etc/systemd/system/$name.d/hardening.conf"
  done
  systemctl daemon-reload
  systemctl enable --quiet veeamsec.target veeamsec-{broker,web,worker-execute,worker-data,worker-enterprise,beat,receiver}.service
}

make_users
place_code
write_settings
set_up
give_folders
if [[ ${o[systemd]} == yes ]]; then
  write_units
  say "ready: systemctl start veeamsec.target"
else
  say "ready: $code/deploy/without-systemd.sh start $etc"
fi

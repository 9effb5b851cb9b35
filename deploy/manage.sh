#!/bin/bash
# Runs a command of manage.py in an installation, as the user whose keys that command needs.
# As root: manage.sh [--etc /etc/veeamsec] [--as enterprise] COMMAND…
set -euo pipefail
etc=/etc/veeamsec
[[ ${1:-} == --etc ]] && etc=$2 && shift 2
as=''
[[ ${1:-} == --as ]] && as=$2 && shift 2
[[ $EUID -eq 0 && $# -ge 1 && -r $etc/installed ]] || { echo "usage, as root: $0 [--etc DIR] [--as enterprise] COMMAND…" >&2; exit 2; }
code='' python='' users=''
while IFS='=' read -r name value; do
  [[ $name =~ ^(code|python|users)$ ]] && printf -v "$name" %s "$value"
done <"$etc/installed"
files=("$etc/veeamsec.env")
case $1 in
  # Root alone reads every key folder.
  setup | backup_self | restore_self | acknowledge | erase_names) process=owner become=() ;;
  verify_audit | backup | restore | sweep | keys) process=worker files+=("$etc/worker.env") ;;
  *) process=web ;;
esac
if [[ $as == enterprise ]]; then
  process=enterprise files=("$etc/veeamsec.env")
  [[ ! -r $etc/enterprise.env ]] || files+=("$etc/enterprise.env")
fi
[[ $process == owner ]] ||
  become=(setpriv --reuid "$users-$process" --regid "$users-$process" --init-groups --no-new-privs --inh-caps=-all)
# Only the owner's commands may come with another address: that of somebody who makes roles and databases.
given=${DATABASE_URL:-}
for file in "${files[@]}"; do
  while IFS= read -r line; do
    [[ $line && $line != \#* ]] && export "${line?}"
  done <"$file"
done
export VEEAMSEC_PROCESS=$process
[[ $process != owner || -z $given ]] || export DATABASE_URL=$given
cd "$code"
exec "${become[@]}" "$python" manage.py "$@"

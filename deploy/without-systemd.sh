#!/bin/bash
# Starts and ends the processes where no systemd is: the same users, folders and command lines as the units.
# As root: without-systemd.sh start|stop|status [/etc/veeamsec]. What dies stays down: watch /readyz.
set -euo pipefail
verb=${1:-} etc=${2:-/etc/veeamsec}
[[ $EUID -eq 0 && $verb =~ ^(start|stop|status)$ && -r $etc/installed ]] || {
  echo "usage, as root: $0 start|stop|status [folder of settings]" >&2
  exit 2
}
code='' python='' home='' run='' log='' users='' valkey=''
while IFS='=' read -r name value; do
  [[ $name =~ ^(code|python|home|run|log|users|valkey)$ ]] && printf -v "$name" %s "$value"
done <"$etc/installed"

# name → user, in the order of starting.
order=(broker worker-execute worker-data worker-enterprise web beat receiver)
declare -A user=([broker]=broker [worker-execute]=worker [worker-data]=worker [worker-enterprise]=enterprise [web]=web [beat]=beat [receiver]=receiver)
declare -A group=([broker]=$users [worker-execute]=$users-worker [worker-data]=$users-worker [worker-enterprise]=$users-enterprise [web]=$users-web [beat]=$users-beat [receiver]=$users-receiver)

alive() { [[ -r $run-$1.pid ]] && kill -0 "$(<"$run-$1.pid")" 2>/dev/null; }

launch() {
  local name=$1 who=$users-${user[$1]}
  local files=("$etc/veeamsec.env") command=("$python" -m veeamsec.process "$name")
  [[ $name == worker-execute || $name == worker-data ]] && files+=("$etc/worker.env")
  [[ $name == worker-enterprise && -r $etc/enterprise.env ]] && files+=("$etc/enterprise.env")
  [[ $name == broker ]] && files=() command=("$valkey" "$etc/valkey.conf")
  install -d -m 0750 -o "$who" -g "${group[$name]}" "$run-$name"
  ( umask 027; : >>"$log/$name.log" )
  (
    # Nothing of root's environment goes along, and no value passes through a command line.
    local path=$PATH file line
    # shellcheck disable=SC2046
    unset $(compgen -e)
    export PATH=$path HOME=/nonexistent LANG=C.UTF-8 RUNTIME_DIRECTORY=$run-$name
    for file in "${files[@]}"; do
      while IFS= read -r line; do
        [[ $line && $line != \#* ]] && export "${line?}"
      done <"$file"
    done
    cd "$code"
    ulimit -c 0
    exec setsid setpriv --reuid "$who" --regid "${group[$name]}" --init-groups \
      --no-new-privs --inh-caps=-all --bounding-set=-all "${command[@]}"
  ) </dev/null >>"$log/$name.log" 2>&1 &
  echo $! >"$run-$name.pid"
}

wait_for() { # what, test…
  local what=$1; shift
  for _ in $(seq 300); do "$@" && return; sleep 0.2; done
  echo "$what does not come up; see $log" >&2
  exit 1
}

start() {
  local name
  for name in "${order[@]}"; do
    alive "$name" && continue
    launch "$name"
    [[ $name == broker ]] && wait_for broker test -S "$run-broker/valkey.sock"
    [[ $name == web ]] && wait_for web test -S "$run-web/web.sock"
  done
  status
}

stop() {
  local index name pid
  for ((index = ${#order[@]} - 1; index >= 0; index--)); do
    name=${order[index]}
    alive "$name" || continue
    pid=$(<"$run-$name.pid")
    kill -TERM "$pid"
    for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    ! kill -0 "$pid" 2>/dev/null || kill -KILL -- "-$pid"
    rm -f "$run-$name.pid"
  done
}

status() {
  local name down=0
  for name in "${order[@]}"; do
    if alive "$name"; then echo "$name runs as $users-${user[$name]}"; else echo "$name is down"; down=1; fi
  done
  return $down
}

"$verb"

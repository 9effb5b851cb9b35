#!/bin/bash
# Gives each process its own folder of a home, and lets it pass through what is above; root keeps the owner's.
# give-folders.sh HOME WEB WORKER RECEIVER ENTERPRISE, each as user:group.
set -euo pipefail
home=$1 web=$2 worker=$3 receiver=$4 enterprise=$5
chown root:root "$home" "$home/keys"
chmod 0711 "$home" "$home/keys"
chown -R "$web" "$home/keys/web"
chown -R "$receiver" "$home/keys/receiver"
chown -R "$enterprise" "$home/keys/enterprise"
chown -R "$worker" "$home/keys/worker" "$home/checkpoints" "$home/repositories" "$home/restores" "$home/mail"
chown -R root:root "$home/keys/owner" "$home/keys/public" "$home/static"
chmod 0700 "$home/keys/web" "$home/keys/worker" "$home/keys/receiver" "$home/keys/enterprise" "$home/keys/owner" "$home/mail" "$home/logs"
chmod 0711 "$home/checkpoints" "$home/repositories" "$home/restores"
chmod -R u=rwX,go=rX "$home/keys/public" "$home/static"
# Names the private servers of a home; nothing secret.
chmod 0644 "$home/servers.id"

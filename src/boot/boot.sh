#!/bin/bash
# Sets a machine up to run one service under PM2. ecdeploy writes it, from the service's block, into user data.
#
#   (nothing)      what cloud-init runs. It may run at any time again: it changes only what differs
#   start, stop    what systemd runs: the settings go from AWS to PM2 in memory alone
#   refresh        what the timer runs: RDS makes a new password every week
set -Eeuo pipefail
@SETTINGS@

# Tests put all of it under another root, and run it as themselves.
root=${BOOT_ROOT:-}
user=${BOOT_USER:-app}
home=$root/opt/$TOPOLOGY
state=$root/var/lib/$TOPOLOGY
logs=$root$LOG_DIR
unit=$TOPOLOGY-$SERVICE
export PATH=$home/bin:$PATH AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION PM2_HOME=$state/pm2
# It asks for its own newest version otherwise.
export PM2_DISABLE_VERSION_CHECK=true
# There as long as something is installed that does not run yet, though a run be cut short.
changed=$home/changed

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" | tee -a "$logs/boot.log"; }

die() {
  say "failed: $*"
  exit 1
}

trap 'say "failed at line $LINENO"' ERR

# What may fail for a while, when a machine and its role are new.
retry() {
  local pause=2
  until "$@"; do
    ((pause <= 256)) || die "gave up: $*"
    say "not yet: $1 ${2:-}; again in ${pause}s"
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# Makes its input the content of a file, unless it is that already.
put() {
  local new=$1.new
  mkdir -p "${1%/*}"
  cat >"$new"
  chmod 644 "$new"
  if cmp -s "$new" "$1"; then
    rm "$new"
  else
    touch "$changed"
    mv "$new" "$1"
    say "wrote $1"
  fi
}

link() {
  [[ $(readlink "$2") != "$1" ]] || return 0
  touch "$changed"
  ln -sfn "$1" "$2"
}

# --- settings: never on disk

from_json() { node -e 'process.stdout.write(String(JSON.parse(require("fs").readFileSync(0))[process.argv[1]]))' "$1"; }

# Exports what apply published for this service, and what RDS keeps. Says in $missing what isn't there yet.
settings() {
  local published name value version secret
  missing=' leave to read the settings'
  # What tells one set of settings from another, without the secrets themselves.
  versions=''
  published=$(aws ssm get-parameters-by-path --path "/$TOPOLOGY/$SERVICE" --output text \
    --query 'Parameters[].[Name,Value]') || return
  while IFS=$'\t' read -r name value; do
    name=${name##*/}
    [[ -n $name && " $WANTED " == *" $name "* ]] || continue
    export "$name=$value"
    versions+="$name=$value "
  done <<<"$published"
  missing=''
  for name in $WANTED; do
    [[ " $versions" == *" $name="* ]] || missing+=" $name"
  done
  [[ -z $missing ]] || return
  for name in $WANTED; do
    [[ $name == *_SECRET_ARN ]] || continue
    missing=" the secret of $name"
    secret=$(aws secretsmanager get-secret-value --secret-id "${!name}" --output text \
      --query '[VersionId,SecretString]') || return
    version=${secret%%$'\t'*}
    secret=${secret#*$'\t'}
    value=$(printf %s "$secret" | from_json username) || return
    export "${name%_SECRET_ARN}_USER=$value"
    value=$(printf %s "$secret" | from_json password) || return
    export "${name%_SECRET_ARN}_PASSWORD=$value"
    versions+="$version "
  done
  # RDS takes no connection in the clear; `pg` reads the mode, Node the authorities.
  export PORT SERVICE PGSSLMODE=verify-full NODE_EXTRA_CA_CERTS=$home/rds.pem NODE_ENV=production
}

start() {
  local pause=2
  # Machines are there long before their databases.
  until settings; do
    say "waiting for:$missing; again in ${pause}s"
    sleep "$pause"
    pause=$((pause < 16 ? pause * 2 : 30))
  done
  say "starting $SERVICE"
  pm2 start "$home/$SERVICE.json" --update-env
  remember
}

refresh() {
  # One that is still waiting gets the newest anyway.
  { [[ -e $state/settings ]] && kill -0 "$(<"$PM2_HOME/pm2.pid")" 2>/dev/null; } || return 0
  settings || return 0
  [[ $(fingerprint) != "$(<"$state/settings")" ]] || return 0
  say 'the settings changed: reloading, one worker after the other'
  pm2 reload "$home/$SERVICE.json" --update-env
  remember
}

fingerprint() { printf %s "$versions" | sha256sum; }
remember() { fingerprint >"$state/settings"; }

stop() {
  rm -f "$state/settings"
  pm2 kill
}

# --- the machine

folders() {
  getent passwd "$user" >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin "$user"
  mkdir -p "$home/bin" "$logs" "$state"
  touch "$logs/boot.log"
  chown "$user:" "$logs" "$logs/boot.log" "$state"
  chmod 750 "$state"
}

packages() {
  local wanted="Node $NODE, git, logrotate, aws"
  if [[ -e $home/packages && $(<"$home/packages") == "$wanted" ]]; then return; fi
  say "installing $wanted"
  if command -v dnf >/dev/null; then
    retry dnf install -y -q "nodejs$NODE" "nodejs$NODE-npm" git-core tar gzip logrotate
  else
    retry apt_packages
  fi
  # Amazon Linux keeps several Nodes side by side; this is the one that is meant, whatever `node` is.
  rm -f "$home/bin/node" "$home/bin/npm"
  ln -s "$(type -P "node-$NODE" || type -P node)" "$home/bin/node"
  ln -s "$(type -P "npm-$NODE" || type -P npm)" "$home/bin/npm"
  [[ $(node --version) == "v$NODE."* ]] || die "Node is $(node --version), not $NODE"
  echo "$wanted" >"$home/packages"
}

# Debian and Ubuntu have one Node each, seldom the one that is meant. NodeSource's packages are signed, and are kept up
# to date with all others; an unpacked archive would not be.
apt_packages() {
  local key=$root/usr/share/keyrings/nodesource.asc get='apt-get -q -y -o DPkg::Lock::Timeout=300'
  export DEBIAN_FRONTEND=noninteractive
  $get update && $get install ca-certificates curl git tar gzip logrotate || return
  mkdir -p "${key%/*}"
  curl -fsSL -o "$key" https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key || return
  put "$root/etc/apt/sources.list.d/nodesource.list" <<END
deb [signed-by=$key] https://deb.nodesource.com/node_$NODE.x nodistro main
END
  $get update && $get install nodejs || return
  # Ubuntu has it as a snap alone.
  command -v aws >/dev/null || $get install awscli || snap install aws-cli --classic
}

pm2_itself() {
  local at=$home/pm2-$PM2
  if [[ ! -e $at/bin/pm2 ]]; then
    say "installing PM2 $PM2"
    retry npm install --global --no-fund --no-audit --loglevel=error --prefix "$at" "pm2@$PM2"
  fi
  link "$at/bin/pm2" "$home/bin/pm2"
}

# --- the artifact

fetch_s3() {
  aws s3 cp --only-show-errors "$ARTIFACT_S3" "$1/artifact" || return
  sha256sum --status --check <<<"$ARTIFACT_SHA256  $1/artifact" ||
    die "$ARTIFACT_S3 does not have the checksum $ARTIFACT_SHA256"
  tar -xzf "$1/artifact" --no-same-owner -C "$1" || return
  rm "$1/artifact"
}

# The commit is the checksum: git names a commit by what is in it.
fetch_git() {
  rm -rf "$1/.git"
  git -C "$1" init -q || return
  git -C "$1" fetch -q --depth 1 "$ARTIFACT_GIT" "${ARTIFACT_REF:-$ARTIFACT_COMMIT}" || return
  [[ $(git -C "$1" rev-parse 'FETCH_HEAD^{commit}') == "$ARTIFACT_COMMIT" ]] ||
    die "$ARTIFACT_REF of $ARTIFACT_GIT is not $ARTIFACT_COMMIT"
  git -C "$1" checkout -q "$ARTIFACT_COMMIT"
}

artifact() {
  local release=$home/releases/${ARTIFACT_SHA256:-$ARTIFACT_COMMIT} new
  if [[ ! -e $release ]]; then
    say "fetching ${ARTIFACT_S3:-$ARTIFACT_GIT}"
    new=$release.new
    rm -rf "$new"
    mkdir -p "$new"
    if [[ -n $ARTIFACT_S3 ]]; then retry fetch_s3 "$new"; else retry fetch_git "$new"; fi
    [[ -e $new/$DIRECTORY/$SCRIPT ]] || die "the artifact has no ${DIRECTORY:+$DIRECTORY/}$SCRIPT"
    if [[ -e $new/$DIRECTORY/package.json ]]; then
      say 'installing its dependencies'
      retry dependencies "$new/$DIRECTORY"
    fi
    # There as a whole or not at all.
    mv -T "$new" "$release"
  fi
  link "$release${DIRECTORY:+/$DIRECTORY}" "$home/current"
}

dependencies() { (cd "$1" && npm ci --omit=dev --no-fund --no-audit --loglevel=error); }

# --- running it

process() {
  if [[ ! -s $home/rds.pem ]]; then
    say "fetching RDS's certificate authorities"
    retry curl -fsSL -o "$home/rds.pem" https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
  fi
  # Without a limit to restarts: a crash is answered by a restart, at growing distances.
  put "$home/$SERVICE.json" <<END
{
  "apps": [{
    "name": "$SERVICE",
    "script": "$SCRIPT",
    "cwd": "$home/current",
    "exec_mode": "cluster",
    "instances": $WORKERS,
    "autorestart": true,
    "exp_backoff_restart_delay": 100,
    "max_restarts": 1000000,
    "max_memory_restart": "${MAX_MEMORY}M",
    "out_file": "$logs/$SERVICE.log",
    "error_file": "$logs/$SERVICE-err.log",
    "merge_logs": true
  }]
}
END
  # PM2 holds its logs open, so they are copied and cut.
  put "$root/etc/logrotate.d/$TOPOLOGY" <<END
$logs/*.log {
  su $user $(id -gn "$user")
  daily
  maxsize 100M
  rotate 14
  compress
  delaycompress
  copytruncate
  missingok
  notifempty
}
END
}

units() {
  local at=$root/etc/systemd/system
  put "$at/$unit.service" <<END
[Unit]
Description=$SERVICE of $TOPOLOGY, under PM2
Wants=network-online.target
After=network-online.target

[Service]
Type=forking
User=$user
PIDFile=$PM2_HOME/pm2.pid
ExecStart=$home/bin/boot start
ExecStop=$home/bin/boot stop
# It waits for its settings, and they for databases.
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5
LimitNOFILE=65536
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
END
  put "$at/$unit-refresh.service" <<END
[Unit]
Description=New settings for $SERVICE of $TOPOLOGY

[Service]
Type=oneshot
User=$user
ExecStart=$home/bin/boot refresh
END
  # At random, so that not all machines reload at once.
  put "$at/$unit-refresh.timer" <<END
[Timer]
OnActiveSec=2min
OnUnitActiveSec=2min
RandomizedDelaySec=60

[Install]
WantedBy=timers.target
END
}

boot() {
  folders
  say "setting up $SERVICE of $TOPOLOGY"
  packages
  pm2_itself
  artifact
  process
  units
  if [[ -e $changed ]]; then
    systemctl daemon-reload
    systemctl enable --quiet "$unit.service" "$unit-refresh.timer"
    systemctl start "$unit-refresh.timer"
    # Not waited for: it waits for its settings.
    systemctl restart --no-block "$unit.service"
    rm "$changed"
  else
    systemctl start --no-block "$unit.service"
  fi
  say 'set up'
}

case ${1:-boot} in
  boot | start | stop | refresh) "${1:-boot}" ;;
  *) die "unknown: $1" ;;
esac

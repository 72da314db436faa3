#!/bin/bash
# Sets a machine up to run one service under PM2. ecdeploy writes it, from the service's block, into user data.
#
#   (nothing)      sets up. systemd runs it at every boot, and again after a failure: it changes only what differs
#   start, stop    the service: its settings go from AWS to PM2 in memory alone
#   refresh        what the timer runs: RDS makes a new password every week, and logs grow
set -Eeuo pipefail
umask 022
@SETTINGS@

# Tests put all of it under another root, and run it as themselves.
root=${BOOT_ROOT:-}
user=${BOOT_USER:-app}
home=$root/opt/$TOPOLOGY
state=$root/var/lib/ecdeploy/$TOPOLOGY
logs=$root$LOG_DIR
unit=$TOPOLOGY-$SERVICE
export PATH=$home/bin:$PATH AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION PM2_HOME=$state/pm2
# It asks for its own newest version otherwise.
export PM2_DISABLE_VERSION_CHECK=true
# There as long as something is installed that does not run yet, though a run be cut short.
changed=$home/changed

# As the service's user: root neither runs what packages bring, nor writes into a folder in which others make links.
as_user() {
  [[ $(id -un) == "$user" ]] || set -- setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
  HOME=$state "$@"
}

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" | as_user tee -a "$logs/$SERVICE-boot.log" || true; }

die() {
  say "failed: $*"
  exit 1
}

trap 'say "failed at line $LINENO"' ERR

# What may fail for as long as a role is new, npm is out, or the artifact isn't uploaded.
retry() {
  local pause=2
  until "$@"; do
    say "not yet: $1 ${2:-}; again in ${pause}s"
    sleep "$pause"
    pause=$((pause < 256 ? pause * 2 : 300))
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
  # The replicas of a database may come and go: PM2 keeps what it is not told.
  for name in $WANTED; do
    [[ $name != *DATABASE_SECRET_ARN ]] || export "${name%SECRET_ARN}REPLICA_HOSTS="
  done
  while IFS=$'\t' read -r name value; do
    name=${name##*/}
    # Replicas' hosts are wanted wherever their database is.
    [[ -n $name && " $WANTED " == *" ${name/%REPLICA_HOSTS/SECRET_ARN} "* ]] || continue
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
  export PORT SERVICE NODE_ENV=production
  # RDS takes no connection in the clear; `pg` reads the mode, Node the authorities.
  [[ -z $AUTHORITIES ]] || export PGSSLMODE=verify-full NODE_EXTRA_CA_CERTS=$home/rds.pem
}

start() {
  local pause=2
  # Those of a run that had no chance to stop.
  rm -f "$state/settings"
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
  # Often, since `maxsize` holds only when it is looked at.
  logrotate --state "$state/logrotate" "$home/logrotate.conf" || say 'the logs were not rotated'
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
  getent passwd "$user" >/dev/null ||
    useradd --system --no-create-home --home-dir "$state" --shell /usr/sbin/nologin "$user"
  mkdir -p "$home/bin" "$home/releases" "$logs" "$state"
  chown "$user:" "$logs" "$state"
  chmod 750 "$state"
}

packages() {
  local wanted="Node $NODE, git, logrotate, aws"
  if [[ -e $home/packages && $(<"$home/packages") == "$wanted" ]]; then return; fi
  say "installing $wanted"
  if command -v dnf >/dev/null; then
    retry dnf install -y -q "nodejs$NODE" "nodejs$NODE-npm" git-core tar gzip diffutils logrotate
    runs_aws || retry dnf install -y -q awscli-2
  else
    retry apt_packages
  fi
  # Amazon Linux keeps several Nodes side by side; this is the one that is meant, whatever `node` is.
  rm -f "$home/bin/node" "$home/bin/npm"
  ln -s "$(type -P "node-$NODE" || type -P node)" "$home/bin/node"
  ln -s "$(type -P "npm-$NODE" || type -P npm)" "$home/bin/npm"
  [[ $(as_user node --version) == "v$NODE."* ]] || die "Node is $(node --version), not $NODE"
  runs_aws || die 'the AWS CLI does not run'
  echo "$wanted" >"$home/packages"
}

# Debian and Ubuntu have one Node each, seldom the one that is meant. NodeSource's packages are signed, and are kept up
# to date with all others; an unpacked archive would not be.
apt_packages() {
  local key=$root/usr/share/keyrings/nodesource.asc get='apt-get -q -y -o DPkg::Lock::Timeout=300'
  export DEBIAN_FRONTEND=noninteractive
  # First what a run that was cut short left behind.
  dpkg --configure -a && $get update && $get install ca-certificates curl git tar gzip logrotate || return
  mkdir -p "${key%/*}"
  curl -fsSL -o "$key" https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key || return
  put "$root/etc/apt/sources.list.d/nodesource.list" <<END
deb [signed-by=$key] https://deb.nodesource.com/node_$NODE.x nodistro main
END
  $get update && $get install nodejs || return
  runs_aws || $get install awscli || aws_of_pypi
}

runs_aws() { as_user aws --version >/dev/null 2>&1; }

# Ubuntu has no package of it since 24.04, and the snap does not run for whom has no home in /home.
aws_of_pypi() {
  apt-get -q -y install python3-venv && python3 -m venv --clear "$home/aws" || return
  "$home/aws/bin/pip" install -q --only-binary :all: "awscli==$AWS" || return
  link "$home/aws/bin/aws" "$home/bin/aws"
}

# Does it as the service's user in a folder that is theirs for as long.
build() {
  chown -R "$user:" "$1" && (cd "$2" && as_user "${@:3}") && chown -R --reference="$home" "$1"
}

pm2_itself() {
  local at=$home/pm2-$PM2
  if [[ ! -e $at ]]; then
    say "installing PM2 $PM2"
    rm -rf "$at.new"
    mkdir "$at.new"
    retry build "$at.new" "$at.new" npm install --global --no-fund --no-audit --loglevel=error --prefix "$at.new" "pm2@$PM2"
    mv -T "$at.new" "$at"
  fi
  link "$at/bin/pm2" "$home/bin/pm2"
}

# --- the artifact

fetch_s3() {
  aws s3 cp --only-show-errors "$ARTIFACT_S3" "$1.tar.gz" || return
  sha256sum --status --check <<<"$ARTIFACT_SHA256  $1.tar.gz" ||
    die "$ARTIFACT_S3 does not have the checksum $ARTIFACT_SHA256"
  tar -xzf "$1.tar.gz" --no-same-owner -C "$1" && rm "$1.tar.gz"
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
  local release=$home/releases/${ARTIFACT_SHA256:-$ARTIFACT_COMMIT} new at
  if [[ ! -e $release ]]; then
    say "fetching ${ARTIFACT_S3:-$ARTIFACT_GIT}"
    new=$release.new
    at=$new/$DIRECTORY
    rm -rf "$new"
    mkdir "$new"
    if [[ -n $ARTIFACT_S3 ]]; then retry fetch_s3 "$new"; else retry fetch_git "$new"; fi
    [[ -e $at/$SCRIPT ]] || die "the artifact has no ${DIRECTORY:+$DIRECTORY/}$SCRIPT"
    if [[ -e $at/package.json ]]; then
      say 'installing its dependencies'
      retry build "$new" "$at" npm ci --omit=dev --no-fund --no-audit --loglevel=error
    fi
    # Whoever packed it may have kept it to themselves.
    chmod -R u=rwX,go=rX "$new"
    # There as a whole or not at all.
    mv -T "$new" "$release"
  fi
  link "$release${DIRECTORY:+/$DIRECTORY}" "$home/current"
}

# --- running it

process() {
  if [[ -n $AUTHORITIES && ! -e $home/rds.pem ]]; then
    say "fetching RDS's certificate authorities"
    retry curl -fsSL -o "$home/rds.pem.new" "$AUTHORITIES"
    mv "$home/rds.pem.new" "$home/rds.pem"
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
  put "$home/logrotate.conf" <<END
$logs/*.log {
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
# PM2 restarts a worker that the kernel kills.
OOMPolicy=continue
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

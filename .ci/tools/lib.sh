# shellcheck shell=bash
# Heavy tools of the tests are built once and kept outside the checkout, in a folder of their own
# for each version. Sourced by the scripts beside this file.

tools_folder=${CHERRY_CI_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/cherry-memory}

say() { echo "$*" >&2; }

# built NAME BUILD: prints the tool's folder, after `BUILD FOLDER` has filled it if it was not there.
# Whoever comes second waits for the first; what appears is whole, because it is moved into place.
built() {
  local name=$1 build=$2 target=$tools_folder/$1 work
  if [[ ! -d $target ]]; then
    mkdir -p "$tools_folder" || return 1
    exec 9>"$tools_folder/.$name.lock" || return 1
    flock 9 || return 1
    if [[ ! -d $target ]]; then
      say "$name: not in the cache, building it"
      # What a build that was killed has left. Under the lock nobody uses it.
      rm -rf "$tools_folder/.$name".??????
      work=$(mktemp -d "$tools_folder/.$name.XXXXXX") || return 1
      mkdir "$work/made" "$work/scratch"
      if (cd "$work/scratch" && "$build" "$work/made") >&2; then
        chmod 755 "$work/made" && mv -T "$work/made" "$target"
      fi
      rm -rf "$work"
    fi
    exec 9>&-
  fi
  [[ -d $target ]] || return 1
  echo "$target"
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
    -o APT::Sandbox::User=root "$@" >&2
}

# install_packages PACKAGE…: Debian's, by root.
install_packages() {
  if ((EUID != 0)); then
    say "only root can install what is missing: apt-get install $*"
    return 1
  fi
  apt update && apt install --no-install-recommends "$@"
}

# needs PROGRAM PACKAGE…: installs the packages where the program is missing.
needs() {
  local program=$1
  shift
  command -v "$program" >/dev/null || install_packages "$@"
}

# other_release RELEASE TYPE FOLDER: prints options with which apt-get sees nothing but another
# release of Debian (TYPE deb or deb-src), on the mirror that this machine uses. The lists are kept
# in FOLDER, so that the machine's own sources stay as they are.
other_release() {
  local release=$1 type=$2 folder=$3 mirror
  mirror=$(apt-cache policy base-files | grep -oE 'https?://[^ ]+' | head -n 1)
  if [[ -z $mirror ]]; then
    say "apt knows no mirror: run apt-get update"
    return 1
  fi
  mkdir -p "$folder/lists/partial" || return 1
  echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$folder/sources.list"
  printf '%s\n' -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::State::lists=$folder/lists"
}

# Shared by the scripts in this folder, which set "root" to the folder of the clone before they read this file.
# Finds Bun or fetches it, and installs what package.json pins. POSIX sh; nothing is printed when all is in place.

say() {
  printf '%s\n' "$*" >&2
}

die() {
  say "kei: $*"
  exit 1
}

# The version that package.json pins.
wanted_bun() {
  sed -n 's/^ *"bun": *"\([0-9.]*\)".*/\1/p' "$root/package.json"
}

# Whether $1 is a Bun that runs here; with $2, of that version.
runs() {
  [ -f "$1" ] && [ -x "$1" ] || return 1
  found=$("$1" --version 2>/dev/null) || return 1
  [ -z "${2-}" ] || [ "$found" = "$2" ]
}

# Prints the first working Bun of the pinned version below $1/node_modules. Without its install script (npm may not run
# it) the package's own launcher is only a placeholder; the program itself lies in the package of the platform.
bun_below() {
  for candidate in "$1"/node_modules/.bin/bun "$1"/node_modules/@oven/bun-*/bin/bun "$1"/node_modules/@oven/bun-*/bin/bun.exe; do
    if runs "$candidate" "$wanted"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# Prints a Bun to install with: the pinned one, any other that is installed, or one that npm fetches.
bun_to_install_with() {
  bun_below "$root" && return 0
  bun_below "$root/.cache/bun" && return 0
  installed=$(command -v bun || true)
  if [ -n "$installed" ] && runs "$installed"; then
    printf '%s\n' "$installed"
    return 0
  fi
  command -v npm >/dev/null 2>&1 || die "this needs Bun or Node.js with npm, and neither is installed. Install one of them (https://bun.com or https://nodejs.org) and run this again."
  say "Fetching Bun $wanted with npm ..."
  mkdir -p "$root/.cache/bun"
  npm install --prefix "$root/.cache/bun" --no-save --no-audit --no-fund --loglevel=error \
    --fetch-retries=1 --fetch-retry-mintimeout=1000 "bun@$wanted" >&2 ||
    die "npm could not fetch Bun $wanted (see above). Check the network connection and run this again."
  bun_below "$root/.cache/bun" || die "npm fetched Bun $wanted, but it does not run on this machine ($(uname -sm)). Install Bun from https://bun.com and run this again."
}

# What the installed packages depend on. It changes when they have to be installed anew.
fingerprint() {
  { cat "$root/package.json" "$root/bun.lock"; uname -sm; } | cksum
}

# Sets "bun" to the pinned Bun, with all packages installed.
prepare() {
  stamp=$root/node_modules/.installed
  now=$(fingerprint)
  if [ -f "$stamp" ]; then
    { read -r then_is && read -r bun; } <"$stamp" || then_is=
    if [ "$then_is" = "$now" ] && [ -x "$bun" ]; then return 0; fi
  fi

  wanted=$(wanted_bun)
  [ -n "$wanted" ] || die "package.json does not say which Bun to use"
  installer=$(bun_to_install_with) || exit 1
  say "Installing packages ..."
  # Bun doesn't read every file that npm is configured in.
  if [ -z "${BUN_CONFIG_REGISTRY-}${npm_config_registry-}${NPM_CONFIG_REGISTRY-}" ] && command -v npm >/dev/null 2>&1; then
    registry=$(npm config get registry 2>/dev/null || true)
    case $registry in http*) export BUN_CONFIG_REGISTRY="$registry" ;; esac
  fi
  (cd "$root" && "$installer" install --frozen-lockfile) >&2 ||
    die "the packages could not be installed (see above). Check the network connection and run this again."
  bun=$(bun_below "$root") || {
    # Another version can run kei only by chance; the pinned one does for certain.
    bun=$(bun_below "$root/.cache/bun") || die "Bun $wanted was installed but does not run on this machine ($(uname -sm))."
  }
  printf '%s\n%s\n' "$now" "$bun" >"$stamp"
}

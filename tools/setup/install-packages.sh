#!/bin/sh
# Installs what steady is built from: Debian and Ubuntu, Fedora, Homebrew.  `make setup` runs it.
# With --ci also the tools of `make lint`, `format-check`, `coverage`, `fuzz` and the clang build.
# Does nothing, quickly and without the network, when everything is there.

# Required ones first; when the optional ones cannot be had, the build goes on without: no JPEG,
# no audio, no mpirun, no `steady watch` in the terminal.
debian_required="make gcc libc6-dev libopenblas-openmp-dev libpng-dev zlib1g-dev libinih-dev
    libjansson-dev libcairo2-dev libcmocka-dev pkg-config fonts-dejavu-core"
debian_optional="libjpeg-dev libsndfile1-dev libopenmpi-dev openmpi-bin libarpack2-dev
    libncurses-dev"
fedora_required="make gcc openblas-devel openblas-openmp libpng-devel zlib-devel inih-devel
    jansson-devel cairo-devel libcmocka-devel pkgconf-pkg-config dejavu-sans-fonts"
fedora_optional="libjpeg-turbo-devel libsndfile-devel openmpi-devel arpack-devel ncurses-devel"
brew_required="libomp openblas libpng zlib inih jansson cairo cmocka pkg-config"
brew_optional="jpeg-turbo libsndfile open-mpi arpack ncurses"
if [ "${1:-}" = --ci ]; then
    debian_optional="$debian_optional clang-14 libclang-rt-14-dev libomp-14-dev clang-format-14
        clang-tidy-14 cppcheck gcovr strace"
    fedora_optional="$fedora_optional clang libomp-devel clang-tools-extra cppcheck gcovr strace"
    brew_optional="$brew_optional llvm cppcheck gcovr"
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "setup: this needs root and there is no sudo.  As root: $*" >&2
        return 1
    fi
}

# Names of those packages that are not installed; a package that another one provides
# (libjpeg-dev by libjpeg62-turbo-dev) counts when it is there under its own name.
debian_missing() {
    for package do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
            grep -q 'ok installed' || echo "$package"
    done
}

fedora_missing() {
    for package do
        rpm -q --whatprovides "$package" >/dev/null 2>&1 || echo "$package"
    done
}

brew_missing() {
    for package do
        brew list --versions "$package" >/dev/null 2>&1 || echo "$package"
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}
dnf_install() { as_root dnf install -y "$@"; }
brew_install() { brew install "$@"; }

# install MANAGER "MISSING REQUIRED" "MISSING OPTIONAL"
install_missing() {
    if [ -z "$2$3" ]; then
        echo "setup: all packages are installed"
        return 0
    fi
    echo "setup: installing" $2 $3
    if [ "$1" = apt ]; then
        as_root apt-get update || echo "setup: no fresh package lists; trying the old ones" >&2
    fi
    "$1_install" $2 $3 && return 0
    if [ -n "$2" ]; then
        "$1_install" $2 || return 1
    fi
    for package in $3; do
        "$1_install" "$package" || echo "setup: left out the optional $package" >&2
    done
}

if command -v apt-get >/dev/null; then
    install_missing apt "$(debian_missing $debian_required)" "$(debian_missing $debian_optional)"
elif command -v dnf >/dev/null; then
    install_missing dnf "$(fedora_missing $fedora_required)" "$(fedora_missing $fedora_optional)"
elif command -v brew >/dev/null; then
    install_missing brew "$(brew_missing $brew_required)" "$(brew_missing $brew_optional)"
else
    echo "setup: neither apt-get nor dnf nor brew is here; ./configure lists what is needed" >&2
    exit 1
fi

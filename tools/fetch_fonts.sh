#!/bin/sh
# Fetch the lettering fonts and their licences again, from pinned packages, and check every byte.
# For maintainers: the files are in the repository, and the tool never fetches anything.
# Usage: tools/fetch_fonts.sh [folder]      (default: storyboard/fonts)
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
fonts=${1:-$root/storyboard/fonts}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# package version | file in the package | name here
fetch() {
    archive=$(cd "$work" && npm pack --silent "$1@$2")
    tar -xzf "$work/$archive" -C "$work"
    cp "$work/package/$3" "$fonts/$4.ttf"
    cp "$work/package/LICENSE_FONT" "$fonts/$4.OFL.txt"
    rm -r "$work/package"
}

mkdir -p "$fonts"
fetch @expo-google-fonts/comic-neue 0.4.1 700Bold/ComicNeue_700Bold.ttf ComicNeue-Bold
fetch @expo-google-fonts/bangers 0.4.1 400Regular/Bangers_400Regular.ttf Bangers-Regular
cd "$fonts"
sha256sum --check "$root/tools/fonts.sha256"

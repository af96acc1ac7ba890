#!/bin/sh
# make deb: the Debian packages are what Debian asks for, run from wherever they are unpacked, and are
# installed, run and removed where there is nothing yet.
. "$(dirname "$0")/../lib.sh"

if ! command -v dpkg-shlibdeps >/dev/null; then
    skip 'Debian packages' 'dpkg-dev is not there: scripts/deps deb'
    finish
    exit 0
fi
if nm -D "$BUILD"/libmien.so.* | grep -q __asan; then
    skip 'Debian packages' 'it was built with a sanitizer'
    finish
    exit 0
fi
unset MAKEFLAGS MFLAGS MIEN_SHARE
version=$(mien-view --version | sed -n '1s/.* //p')
rm -rf "$BUILD/deb"
exits 'the packages' 0 "$ROOT/scripts/deb" "$version"
arch=$(dpkg --print-architecture)
is 'are four' "$(cd "$BUILD/deb" && ls)" "$(printf '%s\n' "libmien-dev_${version}_$arch.deb" \
    "libmien0_${version}_$arch.deb" "mien-doc_${version}_all.deb" "mien_${version}_$arch.deb")"
cp -r "$BUILD/deb" first
"$ROOT/scripts/deb" "$version" >/dev/null
ok 'and the same when made again' diff -r first "$BUILD/deb"

mkdir root
for deb in "$BUILD"/deb/*.deb; do
    dpkg-deb -c "$deb" | awk '!/^d/ { print $6 }' | sort >"files.${deb##*/}"
    dpkg-deb -x "$deb" root
done
is 'no file is in two packages' "$(cat files.* | sort | uniq -d)" ''
make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$T/made" PREFIX=/usr install
is 'programs and pages are all there' "$(cd root/usr && ls bin; find share/man share/mien share/zsh -type f | sed 's/\.gz$//' | sort)" \
    "$(cd made/usr && ls bin; find share/man share/mien share/zsh -type f | sort)"
like 'the programs need only what Debian has' "$(dpkg-deb -f "$BUILD/deb/mien_${version}_$arch.deb" Depends)" \
    '^libarchive13.*libc6 .*libjpeg62-turbo'
is 'they run from where they are' "$(env HOME="$T" XDG_DATA_DIRS=nowhere root/usr/bin/mien-net small-64.net)" \
    "$(mien-net "$ROOT/networks/small-64.net")"
if command -v man >/dev/null; then
    for page in mien.7 mien-view.1 libmien.3; do # also with libmien-dev, man mien is the overview
        like "man ${page%.*}" "$(man -M root/usr/share/man -w "${page%.*}")" "/$page\.gz$"
    done
else
    skip 'pages' 'there is no man'
fi

if command -v lintian >/dev/null; then
    lintian --fail-on error "$BUILD"/deb/*.deb >lintian.out 2>&1
    is 'lintian finds no errors' "$? $(grep '^E:' lintian.out)" '0 '
    sed 's/^/# /' lintian.out
else
    skip 'lintian' 'it is not there'
fi

"$ROOT/scripts/bare" deb >bare.out 2>&1
status=$?
if [ $status -eq 77 ]; then
    skip 'installed where there is nothing' "$(tail -n 1 bare.out)"
else
    is 'installed, run and removed where there is nothing' "$status" 0
    [ $status -eq 0 ] || sed 's/^/# /' bare.out
fi
finish

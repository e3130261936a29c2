# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced after ../vm/cache.sh: packages of other suites and architectures of
# the distribution, downloaded and unpacked, never installed. apt gets a
# configuration of its own; the machine's own is only read, for the address of
# the mirror.

# debian_mirror FOLDER: print the address of the archive that the machine has
# for its own release, from the sources in FOLDER (/etc/apt): lines of *.list
# and stanzas of *.sources.
debian_mirror() {
	local etc=$1 codename file uri
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	[ -n "$codename" ] || die "/etc/os-release names no VERSION_CODENAME"
	uri=$(
		for file in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
			[ -f "$file" ] || continue
			# deb [options] URI SUITE COMPONENT...
			sed -E 's/#.*//; s/^[[:space:]]*deb[[:space:]]+(\[[^]]*\])?/deb /' \
				"$file" |
				awk -v suite="$codename" '$1 == "deb" && $3 == suite &&
					/[[:space:]]main([[:space:]]|$)/ { print $2 }'
		done
		for file in "$etc"/sources.list.d/*.sources; do
			[ -f "$file" ] || continue
			awk -v suite="$codename" '
				function flush() {
					if (deb && on && main && match(suites, " " suite " "))
						print uri
					deb = main = 0; on = 1; suites = uri = field = ""
				}
				BEGIN { flush() }
				/^#/ { next }
				/^[[:space:]]*$/ { flush(); next }
				/^[^[:space:]]/ {
					field = tolower($1)
					sub(/:.*/, "", field)
					sub(/^[^:]*:/, "")
				}
				{
					for (i = 1; i <= NF; i++) {
						if (field == "types" && $i == "deb") deb = 1
						if (field == "enabled" && $i ~ /^(no|false|0)$/) on = 0
						if (field == "uris" && uri == "") uri = $i
						if (field == "suites") suites = suites " " $i " "
						if (field == "components" && $i == "main") main = 1
					}
				}
				END { flush() }' "$file"
		done | sed 's|/$||'
	)
	uri=$(grep -v '^cdrom:' <<<"$uri" | head -n 1)
	[ -n "$uri" ] ||
		die "no source for $codename/main in $etc: apt sources of Debian needed"
	printf '%s\n' "${uri%/}"
}

# foreign_apt DIR TOOL ARGUMENT...: run apt-get or apt-cache on the suite that
# foreign_open prepared in DIR.
foreign_apt() {
	local state=$1/.apt tool=$2
	shift 2
	LC_ALL=C "$tool" -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$state" -o Dir::State::status="$state/status" \
		-o Dir::Cache="$state" -o APT::Sandbox::User=root \
		-o APT::Architecture="$(dpkg --print-architecture)" \
		-o APT::Architectures::="$(dpkg --print-architecture)" \
		-o APT::Architectures::="$(cat "$state/arch")" \
		-o APT::Install-Recommends=0 -o APT::Get::Assume-Yes=1 \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# foreign_open DIR SUITE ARCH: fetch the suite's list of packages for ARCH and
# for this machine's architecture, to be used with DIR.
foreign_open() {
	local dir=$1 suite=$2 arch=$3 state=$1/.apt mirror try
	mirror=$(debian_mirror /etc/apt)
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	: >"$state/status"
	printf '%s\n' "$arch" >"$state/arch"
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite" \
		>"$state/sources.list"
	say "reading the list of packages of $suite ($arch)"
	# A mirror that is being updated answers with a list that does not fit.
	for try in 1 2 3 4; do
		foreign_apt "$dir" apt-get -qq -o APT::Update::Error-Mode=any \
			update && return 0
		[ "$try" = 4 ] || sleep $((try * 5))
	done
	die "the list of packages of $suite ($arch) cannot be fetched"
}

# foreign_depends DIR PACKAGE: the names that PACKAGE depends on, one a line.
foreign_depends() {
	foreign_apt "$1" apt-cache show --no-all-versions "$2" |
		sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/ *|.*//' |
		sed -e 's/^ *//' -e 's/[ :(].*//'
}

# foreign_get DIR PACKAGE...: download these packages and nothing else.
foreign_get() {
	local dir=$1
	shift
	say "downloading ${*:1:4}$([ $# -le 4 ] || echo " and $(($# - 4)) more")"
	(cd "$dir/.apt/archives" && foreign_apt "$dir" apt-get -qq download "$@")
}

# foreign_get_all DIR PACKAGE...: with all that they depend on.
foreign_get_all() {
	local dir=$1
	shift
	say "downloading $* with what they need"
	foreign_apt "$dir" apt-get -qq --download-only install "$@" >/dev/null
}

# foreign_unpack DIR: unpack all that was downloaded, and forget how.
foreign_unpack() {
	local dir=$1 deb
	say "unpacking"
	for deb in "$dir"/.apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$dir" --keep-directory-symlink \
				--exclude=./usr/share/doc --exclude=./usr/share/man \
				--exclude=./usr/share/locale --exclude=./lib/modules
	done
	rm -r "$dir/.apt"
}

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced at the top of the suites that run in a guest, after setting guest_name
# and guest_options (of tests/vm/run), and guest_without_module if there are to be
# no modules of ours, and version for another GStreamer than the machine's (1.26 or
# 1.28), whose figures are not printed. Outside it builds what they need and starts
# the guest with the same script; only inside does it return.
# shellcheck disable=SC2154 # the two are set before
self=$(readlink -f "$0")
cd "$(dirname "$self")/../.." || exit 1
build=$PWD/build
export LD_LIBRARY_PATH="$build/libbufalloc"
export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="$build/tests/gst/registry.bin"
export GST_DEBUG_NO_COLOR=1

guest_root=''
case ${version-} in
1.26) guest_root=trixie-amd64 ;;
1.28) guest_root=sid-amd64 ;;
esac

if [ -z "${GST_IN_GUEST-}" ]; then
	make modules plugin gst-tests examples >&2 || exit 1
	# looking through all plugins takes seconds in a guest
	gst-inspect-1.0 bufalloc >&2 || exit 1
	logs=${BUFALLOC_LOG_DIR:-build/check/log}
	mkdir -p "$logs"
	kernel_dir=$PWD/$(make -s print-kmod)/kernel
	if [ -z "${guest_without_module-}" ]; then
		guest_options+=(--module "$kernel_dir/bufalloc.ko"
			--module "$kernel_dir/bufalloc-v4l2.ko"
			--module "$kernel_dir/bufalloc-drm.ko")
	fi
	[ -z "$guest_root" ] || guest_options+=(--root "$guest_root")
	exec tests/vm/run --mem 2048 --timeout 300 \
		--log "$logs/gst-$guest_name.guest.log" "${guest_options[@]}" -- \
		env GST_IN_GUEST=yes "$self" "$@"
fi

[ -z "$guest_root" ] || export GST_REGISTRY=/tmp/registry.bin
# shellcheck source=tests/tap.sh
. tests/tap.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

if [ -n "$guest_root" ]; then
	figure() { :; }
	gst-launch-1.0 --version >"$dir/version"
	check "GStreamer is $version" grep -q "^GStreamer $version\." "$dir/version"
fi

# full_hd NODE: 1920x1080 at 30 frames a second for an HDMI end of vivid
full_hd() {
	local index
	index=$(v4l2-ctl -d "$1" --list-dv-timings | awk '
		/Index:/ { index_ = $2 }
		/Active width:/ { width = $3 }
		/Active height:/ { height = $3 }
		/Frame format: progressive/ { progressive = 1 }
		/Pixelclock: 74250000 Hz \(30/ && width == 1920 && height == 1080 {
			print index_
			exit
		}')
	v4l2-ctl -d "$1" --set-dv-bt-timings index="${index:?}" >/dev/null
}

# vivid ALLOCATORS: the camera anew, with full HD from its HDMI input. 0 is
# vb2-vmalloc, 1 vb2-dma-contig.
vivid() {
	rmmod vivid 2>/dev/null
	modprobe vivid allocators="$1" "${@:2}" || return 1
	v4l2-ctl -d /dev/video0 --set-input 3 >/dev/null && full_hd /dev/video0
}

# launch NAME FIRST PIPELINE...: leaves NAME.json (what the tracer saw), NAME.out
# (what gst-launch printed) and NAME.log (GStreamer's log) in $dir
launch() {
	local name=$1 first=$2
	shift 2
	GST_DEBUG=GST_PERFORMANCE:6,bufalloc:5,2 GST_DEBUG_FILE=$dir/$name.log \
		GST_TRACERS="framewitness(out=\"$dir/$name.json\",first=$first)" \
		timeout 60 gst-launch-1.0 -v "$@" >"$dir/$name.out" 2>&1 ||
		{
			echo "status $?"
			tail -n 20 "$dir/$name.out" "$dir/$name.log"
			return 1
		}
}

# saw NAME FILTER: the filter of jq is true for what the tracer saw
saw() { jq -e "$2" "$dir/$1.json" >/dev/null || { cat "$dir/$1.json" && false; }; }

# logged NAME PATTERN: lines of GStreamer's log that match
logged() { grep -Ec -- "$2" "$dir/$1.log"; }

# never NAME PATTERN: no line of it does
never() { ! grep -E -- "$2" "$dir/$1.log"; }

# printed NAME PATTERN [TIMES]: gst-launch printed so many lines that match
printed() {
	local n
	n=$(grep -Ec -- "$2" "$dir/$1.out")
	[ "$n" = "${3:-1}" ] || {
		echo "$n lines"
		cat "$dir/$1.out"
		false
	}
}

# stat NAME FIELD: what the element counted, at the end of the stream
stat_of() {
	sed -n "s/.*stats = application.*[ ,]$2=([a-z0-9]*)\([^,;]*\).*/\1/p" \
		"$dir/$1.out" | tail -n 1
}
counted() {
	local value
	value=$(stat_of "$1" "$2")
	# shellcheck disable=SC2053 # it is a pattern
	[[ $value == $3 ]] || { echo "$2 is '$value'" && false; }
}

# users: how many use the module, besides the modules that find devices for it
users() {
	local holders=(/sys/module/bufalloc/holders/*)
	echo $(($(cat /sys/module/bufalloc/refcnt) - ${#holders[@]}))
}

# all_gone: within a second nothing of ours is alive and nobody uses the modules
all_gone() {
	local _
	for _ in $(seq 100); do
		[ "$(users)$(cat /sys/module/bufalloc_{v4l2,drm}/refcnt)" = $'00\n0' ] &&
			return
		sleep 0.01
	done
	echo "refcnt $(users) $(cat /sys/module/bufalloc_{v4l2,drm}/refcnt)"
	return 1
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# drm_clients.sh BUILD: programs of others that show pictures, on a driver with
# buffers of bufalloc beside the kernel's own. Each runs on both. What it shows is
# taken from there by ffmpeg (kmsgrab), and summed by the driver (the CRC of what it
# read from the buffer): both must be the same on both, and the picture the one that
# is known. Prints TAP.
#
# In a guest, with the drivers ba_vkms and vkms; see guest.sh. Or, if $PANEL is its
# driver, on a display that nothing else is like: the sample, whose CRC is of what its
# device's DMA has read.
#
# shellcheck disable=SC2317 # check calls the functions
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
ours=ba_vkms stock=vkms
width=640 height=480
# What the sample reads in a moment.
[ -z "${PANEL-}" ] || width=64 height=32
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export GST_DEBUG_NO_COLOR=1 XDG_RUNTIME_DIR=$dir
export LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0
# Seconds: programs come over a shared file system into an emulated machine.
patience=60
# The clock runs faster where nothing is waited for.
[ -z "${PANEL-}" ] || patience=6000

# within SECONDS COMMAND...: until it succeeds.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -r -t 0.1 <> <(:)
	done
	return 0
}

# minor_of DRIVER: the number of its card.
minor_of() {
	local file name _
	for file in /sys/kernel/debug/dri/*/name; do
		read -r name _ <"$file"
		[ "$name" != "$1" ] || {
			file=${file%/name}
			echo "${file##*/}"
			return
		}
	done
	echo "no driver $1"
	return 1
}

# ids DRIVER: $minor, and of the first of each the numbers that modetest wants; the
# connector has a name too.
ids() {
	minor=$(minor_of "$1") || return
	modetest -M "$1" >"$dir/list" 2>"$dir/list.err" || return
	connector=$(awk '/^Connectors:/ { on = 1 } on && /^[0-9]/ { print $1; exit }' \
		"$dir/list")
	output=$(awk '/^Connectors:/ { on = 1 } on && /^[0-9]/ { print $4; exit }' \
		"$dir/list")
	crtc=$(awk '/^CRTCs:/ { on = 1 } on && /^[0-9]/ { print $1; exit }' "$dir/list")
	plane=$(awk '/^Planes:/ { on = 1 } on && /^[0-9]/ { print $1; exit }' \
		"$dir/list")
	[ -n "$connector" ] && [ -n "$crtc" ] && [ -n "$plane" ]
}

# crc: of a frame that was read now. Some entries may be of what was shown before.
crc() {
	local crcs=4 folder=/sys/kernel/debug/dri/$minor/crtc-0/crc
	# That one sends what it shows, and then nothing until it shows another.
	[ -z "${PANEL-}" ] || crcs=1
	echo auto >"$folder/control" || return
	timeout 10 dd if="$folder/data" bs=64 count="$crcs" 2>/dev/null |
		awk '/ / { sum = $2 } END { print sum; exit sum == "" }'
}
crc_is() { [ "$(crc)" = "$1" ]; }

# A framebuffer of that size is on the screen.
shows_something() {
	awk -v size="size=${width}x$height" '/^plane/ { on = 0 } /crtc=crtc-0/ { on = 1 }
		on && $1 == size { found = 1 } END { exit !found }' \
		"/sys/kernel/debug/dri/$minor/state"
}

# grab FILE: the picture on the screen.
grab() {
	ffmpeg -nostdin -v error -y -device "/dev/dri/card$minor" -f kmsgrab \
		-framerate 5 -i - -vf hwdownload,format=bgr0 -frames:v 1 \
		-f rawvideo "$1" >"$dir/ffmpeg.out" 2>&1 || {
		cat "$dir/ffmpeg.out"
		return 1
	}
}
# Of the fourth byte of each pixel nobody says what it is.
colours() { LC_ALL=C perl -0777 -pe 's/(...)./$1\0/gs' "$1"; }
same_picture() { cmp <(colours "$1") <(colours "$2"); }
grabs() { grab "$dir/grabbed" && same_picture "$dir/grabbed" "$1"; }

# The clients: start_NAME DRIVER leaves $client, and stop_NAME ends it and says
# whether it was content. $picture is what it shall show, if that is known.

modetest_on() {
	rm -f "$dir/keys"
	mkfifo "$dir/keys"
	modetest -M "$@" <"$dir/keys" >"$dir/out" 2>&1 &
	client=$!
	exec 4>"$dir/keys"
}
# A key ends it.
stop_modetest() {
	echo >&4
	exec 4>&-
	# vkms has no gamma.
	wait "$client" && ! grep -v 'set gamma' "$dir/out" | grep -iE 'fail|error|invalid'
}

start_legacy() {
	modetest_on "$1" -s "$connector@$crtc:${width}x$height@XR24"
}
stop_legacy() { stop_modetest && grep "setting mode ${width}x$height" "$dir/out"; }

start_atomic() {
	modetest_on "$1" -a -s "$connector@$crtc:${width}x$height" \
		-P "$plane@$crtc:${width}x$height@XR24"
}
stop_atomic() { stop_modetest && grep "testing ${width}x$height" "$dir/out"; }

bars() {
	echo videotestsrc pattern=colors "$@" ! \
		"video/x-raw,format=BGRx,width=$width,height=$height,framerate=10/1"
}
start_kmssink() {
	# shellcheck disable=SC2046 # words
	gst-launch-1.0 -q $(bars is-live=true) ! kmssink driver-name="$1" \
		force-modesetting=true >"$dir/out" 2>&1 &
	client=$!
}
stop_gst() {
	kill -INT "$client"
	wait "$client"
	! grep ERROR "$dir/out"
}
stop_kmssink() { stop_gst; }

# camera_of_still: the node of vivid, whose picture stays as it is.
camera_of_still() {
	local node
	for node in /sys/class/video4linux/video*; do
		[[ $(cat "$node/name") == vivid-*-vid-cap ]] || continue
		v4l2-ctl -d "/dev/${node##*/}" -c osd_text_mode=2 >/dev/null || return
		echo "/dev/${node##*/}"
		return
	done
	return 1
}
# Buffers of another device, a camera, are imported.
start_import() {
	gst-launch-1.0 -q v4l2src device="$camera" io-mode=dmabuf ! \
		"video/x-raw,format=BGRx,width=$width,height=$height" ! \
		kmssink driver-name="$1" force-modesetting=true >"$dir/out" 2>&1 &
	client=$!
}
while_import() { grep imported=yes "/sys/kernel/debug/dri/$minor/state" >/dev/null; }
stop_import() { stop_gst; }

# ffmpeg takes the screen again and again, as who records it does: each frame is the
# picture. What shows it is kmssink.
start_kmsgrab() { start_kmssink "$1"; }
sums_of() { grep -v '^#' "$1" | awk -F, '{ print $NF }' | tr -d ' '; }
while_kmsgrab() {
	local sum frames=5
	ffmpeg -nostdin -v error -y -device "/dev/dri/card$minor" -f kmsgrab \
		-framerate 10 -i - -vf hwdownload,format=bgr0,format=bgr24 \
		-frames:v "$frames" -f framemd5 "$dir/frames" || return
	sum=$(LC_ALL=C perl -0777 -pe 's/(...)./$1/gs' "$picture" | md5sum)
	diff <(sums_of "$dir/frames") <(yes "${sum%% *}" | head -n "$frames")
}
stop_kmsgrab() { stop_gst; }

# The newer release's Weston needs neither a terminal nor a session. It runs in that
# release's root file system.
for mounted in dev sys proc tmp; do
	mount --rbind "/$mounted" "$WESTON_ROOT/$mounted" || exit 1
done

# A compositor, whose only window is the picture.
start_weston() {
	cat >"$dir/weston.ini" <<-END
	[core]
	require-input=false
	idle-time=0
	[output]
	name=$output
	mode=${width}x$height
	END
	rm -f "$dir/wayland-1"*
	chroot "$WESTON_ROOT" weston --backend=drm --renderer=pixman --drm-device="card$minor" \
		--socket=wayland-1 --shell=kiosk --debug \
		--config="$dir/weston.ini" >"$dir/weston.out" 2>&1 &
	weston=$!
	within "$patience" test -S "$dir/wayland-1" || {
		cat "$dir/weston.out"
		return 1
	}
	# shellcheck disable=SC2046
	WAYLAND_DISPLAY=wayland-1 gst-launch-1.0 -q $(bars is-live=true) ! \
		waylandsink >"$dir/out" 2>&1 &
	client=$!
}
# Its own screenshot is the picture too.
screenshot() {
	rm -f "$dir"/wayland-screenshot-*
	WAYLAND_DISPLAY=wayland-1 XDG_PICTURES_DIR=$dir chroot "$WESTON_ROOT" \
		timeout "$patience" sh -c "cd '$dir' && weston-screenshooter" || return
	ffmpeg -nostdin -v error -y -i "$dir"/wayland-screenshot-*.png -f rawvideo \
		-pix_fmt bgr0 "$dir/screenshot" && same_picture "$dir/screenshot" "$picture"
}
while_weston() { screenshot; }
stop_weston() {
	local status
	stop_gst
	status=$?
	kill "$weston"
	wait "$weston"
	[ "$status" = 0 ] || cat "$dir/weston.out"
	return "$status"
}

# run NAME DRIVER: what it showed is in NAME-DRIVER and its CRC in $sum.
run() {
	local name=$1 status=0
	ids "$2" || {
		cat "$dir/list.err"
		return 1
	}
	: >"$dir/out"
	"start_$name" "$2" || return
	if ! within "$patience" shows_something; then
		echo "it shows nothing"
		grep -E '^(plane|crtc)|crtc=|size=|allocated' \
			"/sys/kernel/debug/dri/$minor/state"
		status=1
	elif [ -n "$picture" ] && ! within "$patience" grabs "$picture"; then
		echo "it shows another picture"
		status=1
	else
		grab "$dir/$name-$2" && within 10 sum_is_known "$name-$2" &&
			{ ! declare -F "while_$name" >/dev/null || "while_$name"; }
		status=$?
	fi
	"stop_$name" || status=1
	[ "$status" = 0 ] || cat "$dir/out"
	return "$status"
}

# sum_is_known WHICH: two pictures in a row have it.
sum_is_known() {
	local sum
	sum=$(crc) && crc_is "$sum" && echo "$sum" >"$dir/$1.crc"
}

same() {
	local name=$1
	run "$name" "$ours" || return
	same_picture "$dir/$name-$ours" "$dir/$name-$stock" || return
	diff "$dir/$name-$ours.crc" "$dir/$name-$stock.crc"
}

# The sum is that of CRC-32, as gzip has it, of what the CPU finds in the buffer.
on_panel() {
	local expected
	picture=${2-}
	run "$1" "$PANEL" || return
	expected=$(gzip -c "$dir/$1-$PANEL" | tail -c 8 | od -An -tx4 -N4 | tr -d ' ')
	diff <(echo "0x$expected") "$dir/$1-$PANEL.crc"
}
if [ -n "${PANEL-}" ]; then
	# shellcheck disable=SC2046 # words
	gst-launch-1.0 -q $(bars num-buffers=1) ! filesink location="$dir/bars"
	check modetest-legacy-on-the-sample on_panel legacy
	check modetest-atomic-on-the-sample on_panel atomic
	check kmssink-on-the-sample on_panel kmssink "$dir/bars"
	check kmsgrab-on-the-sample on_panel kmsgrab "$dir/bars"
	check weston-on-the-sample on_panel weston "$dir/bars"
	finish
fi

# For tests/controls, which want to see one row fail: $DRM_CLIENTS_ROW, or what comes
# after a client.
only=${DRM_CLIENTS_ROW-}
[[ -z $only || $only == *-on-ours ]] || only=modetest-legacy-on-ours

passing=()
# on_both NAME STOCK OURS CLIENT [PICTURE]: the rows of a client.
on_both() {
	local failed=$tap_failed
	[ -z "${only-}" ] || [ "$only" = "$3" ] || return
	picture=${5-}
	check "$2" run "$1" $stock
	check "$3" same "$1"
	[ "$tap_failed" != "$failed" ] || passing+=("$4")
}

# What both say of themselves, but for which connector it is of the kind.
list_of() {
	modetest -M "$1" >"$dir/list.all" 2>"$dir/list.err" || {
		cat "$dir/list.err"
		return 1
	}
	sed 's/Virtual-[0-9]*/Virtual/; s/Writeback-[0-9]*/Writeback/' "$dir/list.all" \
		>"$dir/list.$1"
	grep -q '^Connectors:' "$dir/list.$1"
}
list_same() {
	list_of "$ours" && diff "$dir/list.$ours" "$dir/list.$stock"
}
# ffmpeg comes with a hundred libraries.
ffmpeg -version >/dev/null 2>&1 &
failed=$tap_failed
check modetest-list-on-stock list_of $stock
check modetest-list-on-ours list_same
[ "$tap_failed" != "$failed" ] || passing+=(modetest-list)

# shellcheck disable=SC2046
timeout "$patience" gst-launch-1.0 -q $(bars num-buffers=1) ! filesink location="$dir/bars"

on_both legacy modetest-legacy-on-stock modetest-legacy-on-ours modetest-legacy
on_both atomic modetest-atomic-on-stock modetest-atomic-on-ours modetest-atomic
on_both kmssink kmssink-on-stock kmssink-on-ours kmssink "$dir/bars"
on_both kmsgrab kmsgrab-on-stock kmsgrab-on-ours kmsgrab "$dir/bars"
camera=$(camera_of_still) || exit 1
timeout "$patience" gst-launch-1.0 -q v4l2src device="$camera" num-buffers=1 ! \
	"video/x-raw,format=BGRx,width=$width,height=$height" ! \
	filesink location="$dir/still"
on_both import kmssink-import-on-stock kmssink-import-on-ours kmssink-import \
	"$dir/still"

on_both weston weston-on-stock weston-on-ours weston "$dir/bars"

figure drm_clients_passing "$(IFS=, && echo "${passing[*]}")"
finish

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced after guest.sh: the command lines of docs/pipelines.md, and what must hold
# of each.
# shellcheck disable=SC2154,SC2317 # guest.sh's $dir; check calls the functions

page=docs/pipelines.md
clean_ones=()

# node_called PATTERN: the V4L2 node whose driver calls it so
node_called() {
	local dev
	for dev in /sys/class/video4linux/video*; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $(cat "$dev/name") != $1 ]] || { echo "/dev/${dev##*/}" && return; }
	done
	echo "no node is called $1" >&2
	return 1
}

# camera_hd ALLOCATORS: vivid anew, with full HD at both of its HDMI ends
camera_hd() {
	check "a camera and an output of full HD, allocators=$1" camera_hd_set "$1" &&
		CAMERA=$(node_called 'vivid-*-vid-cap') &&
		OUTPUT=$(node_called 'vivid-*-vid-out')
	export CAMERA OUTPUT
}

camera_hd_set() {
	local output
	vivid "$1" && output=$(node_called 'vivid-*-vid-out') &&
		v4l2-ctl -d "$output" --set-output 1 >/dev/null && full_hd "$output" &&
		# The output takes sRGB only. The camera says what it was told last.
		v4l2-ctl -d /dev/video0 -c colorspace=1 &&
		v4l2-ctl -d /dev/video0 -c colorspace=2
}

# camera_vga: the camera's other input, with smaller pictures
camera_vga() {
	check "a camera of 640x480" v4l2-ctl -d "$CAMERA" --set-input 0
}

# camera_usb: a camera on the other side of USB/IP
camera_usb() {
	"$build/tests/gst/uvc_camera" >"$dir/uvc_camera" 2>&1 &
	check "a USB camera" camera_usb_there && USB_CAMERA=$(node_called 'UVC Camera*')
	export USB_CAMERA
}

camera_usb_there() {
	local _
	for _ in $(seq 100); do
		! node_called 'UVC Camera*' 2>/dev/null || return 0
		read -r -t 0.1 <> <(:)
	done
	cat "$dir/uvc_camera"
	return 1
}

# line_of NAME WHICH FRAMES: the page's first or second command line of that
# heading, as $words, for so many frames
line_of() {
	local line
	line=$(awk -v name="$1" -v which="$2" '
		/^## / { here = $2 == name ":"; n = 0 }
		!here { next }
		/^    [^ ]/ { n++ }
		/^    / && n == which
	' "$page" | sed -e 's/\\$//' -e "s/num-buffers=300/num-buffers=$3/")
	# shellcheck disable=SC2206 # its words, with the nodes in them
	eval "words=(${line//!/\\!})"
	[ "${words[0]-}" = gst-launch-1.0 ] || {
		echo "$page has no command line $2 of $1"
		return 1
	}
	words=("${words[@]:1}")
}

# The times that a program mapped a dma-buf or told it that it would, as the kernel
# counts them.
probes=/sys/kernel/tracing
printf '%s\n' p:bufalloc_maps/map dma_buf_mmap_internal \
	p:bufalloc_maps/begin dma_buf_begin_cpu_access | paste -d' ' - - \
	>$probes/kprobe_events
maps() { awk '{ n += $2 } END { print n + 0 }' $probes/kprobe_profile; }
echo 1 >$probes/events/bufalloc_maps/enable

# Which frames were in which dma-buf. A link that begins at a source or at one of
# $new, which write to buffers of their own, begins a stretch; all others of the
# stretch have the same frames in the same dma-bufs. $other begin stretches that are
# no pictures or no dma-bufs.
# shellcheck disable=SC2016 # jq's own variables
stretches='
	def element: split(":")[0];
	.pads as $pads
	| def first_of($link): ($link.pad | element) as $from
		| [$pads[] | select((.peer | element) == $from)][0] as $before
		| if $before == null or any($new[]; . == $from) then $link
			else first_of($before) end;
	[$pads[] | first_of(.) as $first | {pad, frames, dmabuf_frames, inodes,
		sequence, first: $first.pad, same: (.sequence == $first.sequence)}]
	| map(select(.first | element | IN($other[]) | not))'

# all_links NAME NEW FILTER: it is true for those links. NEW are names with commas
# between them, with a "-" after those that begin the other stretches.
all_links() {
	local new=$2 filter=$3
	jq -e --argjson new "$(tr -d - <<<"$new" | jq -Rc 'split(",")')" \
		--argjson other "$(grep -oE '\w+-' <<<"$new" | tr -d - | jq -Rn '[inputs]')" \
		"$stretches | $filter" "$dir/$1.json" >/dev/null || {
		jq -c '.pads[] | [.pad, .peer, .frames, .dmabuf_frames, .inodes]' \
			"$dir/$1.json"
		false
	}
}

# copies_of NAME: what of pictures was copied, as GStreamer's log says
copies_of() {
	grep -E 'GST_PERFORMANCE' "$dir/$1.log" |
		grep -E 'frame copy|slow copy|copy plane|copy for merge' |
		grep -Ev 'fwhtenc0:pool[0-9]+:src>|fwhtdec0:pool[0-9]+:sink>'
}
none_copied() { ! copies_of "$1"; }

# cpu_figure NAME RUN: microseconds of processor time for a frame
cpu_figure() {
	figure "cpu_us_per_frame_${1//-/_}" \
		"$(jq '.window | .process_us / .frames | round' "$dir/$2.json")"
}

# every_stat NAME FIELD VALUE: each bufalloc in it counted so much
every_stat() {
	local values
	values=$(sed -n "s/.*stats = application.*[ ,]$2=([a-z0-9]*)\([^,;]*\).*/\1/p" \
		"$dir/$1.out" | sort -u)
	[ "$values" = "$3" ] || { echo "$2 is $values" && false; }
}

# pipeline NAME FRAMES [NEW [SUFFIX]]: the page's line with bufalloc copies nothing.
# NEW are the elements that write to other buffers than they read.
pipeline() {
	local name=$1 frames=$2 new=${3-} run=$1${4:+-$4} before failed=$tap_failed
	local least=$((frames - $(grep -c fwhtdec <<<"$new")))
	check "$run: it is in $page" line_of "$name" 1 "$frames" &&
		line_of "$name" 1 "$frames"
	before=$(maps)
	check "$run: it runs" launch "$run" 5 "${words[@]}"
	before=$(($(maps) - before))
	check "$run: every frame is a dma-buf on every link" all_links "$run" "$new" \
		"all(.[]; .frames >= $least and .dmabuf_frames == .frames)"
	check "$run: and in the one that it came in" all_links "$run" "$new" \
		'all(.[]; .same)'
	check "$run: at most 12 dma-bufs" all_links "$run" "$new" \
		'all(.[]; .inodes | length <= 12)'
	check "$run: GStreamer copies none" none_copied "$run"
	check "$run: no program maps one ($before times)" [ "$before" = 0 ]
	case ,$new in
	*,bufalloc*)
		check "$run: all frames are imported" \
			every_stat "$run" imported-frames "$frames"
		;;
	*) check "$run: all frames are ours" every_stat "$run" foreign-frames 0 ;;
	esac
	check "$run: nothing to warn of" printed "$run" '^WARNING' 0
	check "$run: all is freed" all_gone
	[ "$tap_failed" != "$failed" ] || clean_ones+=("$run")
	[ -n "${4-}" ] || cpu_figure "$name" "$run"
}

# copies NAME FRAMES: the page's line without bufalloc copies each frame
copies() {
	local name=$1 frames=$2 run=$1-stock n
	check "$run: it is in $page" line_of "$name" 2 "$frames" &&
		line_of "$name" 2 "$frames"
	before=$(maps)
	check "$run: it runs" launch "$run" 5 "${words[@]}"
	# shellcheck disable=SC2034 # for the suite
	stock_maps=$(($(maps) - before))
	n=$(copies_of "$run" | wc -l)
	check "$run: GStreamer copies each frame ($n)" [ "$n" -ge "$frames" ]
	cpu_figure "$run" "$run"
}

# application FRAMES: examples/app-frames copies nothing. It draws, so it maps.
application() {
	local failed=$tap_failed
	check "application: it runs" app_frames "$1"
	check "application: every frame is a dma-buf on every link" all_links \
		application '' "all(.[]; .frames == $1 and .dmabuf_frames == $1)"
	check "application: and in the one that it was drawn in" all_links \
		application '' 'all(.[]; .same and (.inodes | length <= 8))'
	check "application: GStreamer copies none" none_copied application
	check "application: all is freed" all_gone
	[ "$tap_failed" != "$failed" ] || clean_ones+=(application)
}

app_frames() {
	local line
	line=$(sed -n '/^## application:/,$s/^    //p' "$page" |
		sed 's/\\$//' | tr '\n' ' ')
	eval "GST_DEBUG=GST_PERFORMANCE:6,bufalloc:5,2 \
		GST_DEBUG_FILE=$dir/application.log GST_TRACERS='framewitness(out=\
		\"$dir/application.json\")' ${line//300/$1}" 2>&1 | tee "$dir/application.out"
	grep -q "^$1 frames shown" "$dir/application.out"
}

# process FRAMES: the frames of one process on the display of another
process() {
	local frames=$1 failed=$tap_failed camera
	rm -f /tmp/camera
	check "process: both are in $page" line_of process 1 "$frames"
	line_of process 1 "$frames"
	launch process-camera 5 "${words[@]}" >"$dir/process-camera.end" &
	camera=$!
	check "process: the camera's waits" there /tmp/camera
	line_of process 2 "$frames"
	check "process: the display's runs" launch process 5 "${words[@]}"
	wait $camera
	check "process: the camera's ran" [ $? = 0 ]
	check "process: every frame is a dma-buf on every link" all_links process '' \
		"all(.[]; .frames >= $frames / 2 and .dmabuf_frames == .frames)"
	check "process: and in the one that the camera's process had it in" \
		same_frames process-camera process
	check "process: GStreamer copies none" none_copied process-camera
	check "process: nor there" none_copied process
	check "process: all is freed" all_gone
	[ "$tap_failed" != "$failed" ] || clean_ones+=(process)
}

there() {
	local _
	for _ in $(seq 200); do
		[ ! -S "$1" ] || return 0
		read -r -t 0.1 <> <(:)
	done
	echo "no socket $1"
	return 1
}

# same_frames A B: what came out of B's source is the end of what went into A's sink
same_frames() {
	# shellcheck disable=SC2016 # jq's own variables
	jq -se '(.[0].pads[-1].sequence) as $a | (.[1].pads[0].sequence) as $b |
		($b | length > 0) and $a[-($b | length):] == $b' \
		"$dir/$1.json" "$dir/$2.json" >/dev/null || {
		jq -c .pads[].sequence "$dir/$1.json" "$dir/$2.json"
		false
	}
}

# weston FRAMES: a compositor on vkms, which maps each buffer once to compose
weston() {
	local frames=$1 failed=$tap_failed compositor n renderer=--renderer=pixman
	export XDG_RUNTIME_DIR=$dir/xdg WAYLAND_DISPLAY=wayland-1
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	printf '[core]\nrequire-input=false\nidle-time=0\n' >"$dir/weston.ini"
	command weston --help | grep -q -- --renderer || renderer=--use-pixman
	LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 command weston \
		--backend=drm-backend.so $renderer --socket=$WAYLAND_DISPLAY \
		--shell=kiosk-shell.so --config="$dir/weston.ini" \
		>"$dir/weston.out" 2>&1 &
	compositor=$!
	check "weston: it is there" there "$XDG_RUNTIME_DIR/$WAYLAND_DISPLAY"
	check "weston: it is in $page" line_of weston 1 "$frames"
	line_of weston 1 "$frames"
	n=$(maps)
	check "weston: it runs" launch weston 5 "${words[@]}"
	n=$(($(maps) - n))
	kill $compositor
	wait $compositor
	check "weston: every frame is a dma-buf on every link" all_links weston '' \
		"all(.[]; .frames == $frames and .dmabuf_frames == .frames)"
	check "weston: and in the one that it came in" all_links weston '' \
		'all(.[]; .same)'
	check "weston: GStreamer copies none" none_copied weston
	check "weston: nobody maps a buffer twice ($n times)" all_links weston '' \
		"all(.[]; (.inodes | length) >= $n)"
	check "weston: all is freed" all_gone
	[ "$tap_failed" != "$failed" ] || clean_ones+=(weston)
}

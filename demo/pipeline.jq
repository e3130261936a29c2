# SPDX-License-Identifier: MIT
# One row of the report. In: the tracer's files of the three rounds; $facts: see
# facts() in run.
def median: sort | if length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def pad($name; $key): map(select(.[$key] == $name))[0];

.[0] as $first
| ($first.pads | pad($first.camera; "pad")) as $camera
| ($first.pads | pad($first.display; "peer")) as $display
| ($display.inodes | sort) as $inodes
| {
	name: $facts.name,
	frames: $display.frames,
	fps: (map(.window | .frames * 1000 / .wall_ms) | median * 10 | round / 10),
	cpu_ms_per_frame:
		(map(.window | .cpu_ms / .frames) | median * 10 | round / 10),
	copied_bytes_per_frame: ($facts.copied / $facts.shown | round),
	distinct_dmabufs: ($inodes | length),
	same_dmabuf_camera_display: (
		$inodes != [] and $display.dmabuf_frames == $display.frames
		and ($camera.inodes | sort) == $inodes
		and $facts.camera == $inodes and $facts.display == $inodes),
	attached_devices: $facts.devices,
	kernel_va_bytes: $facts.mapped
}
